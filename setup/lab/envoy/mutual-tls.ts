import type { Json } from './json.ts'

/** Files of one proxy's identity, and of the authority that it believes. */
export interface TlsFiles {
  readonly certificate: string
  readonly key: string
  readonly authority: string
}

/** The trust domain; a peer of another one is refused. */
export const TRUST_DOMAIN = 'spiffe://cluster.local/'

const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3'

/** Both sides show a certificate and verify the other's authority and SPIFFE identity. Versions and ciphers as Istio's. */
export function mutualTls(side: 'upstream' | 'downstream', files: TlsFiles): Json {
  const common = {
    tls_params: {
      tls_minimum_protocol_version: 'TLSv1_2',
      tls_maximum_protocol_version: 'TLSv1_3',
      ...(side === 'downstream'
        ? { cipher_suites: ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'] }
        : {}),
    },
    tls_certificates: [{ certificate_chain: { filename: files.certificate }, private_key: { filename: files.key } }],
    validation_context: {
      trusted_ca: { filename: files.authority },
      match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { prefix: TRUST_DOMAIN } }],
    },
    alpn_protocols: side === 'downstream' ? ['h2', 'http/1.1'] : ['http/1.1'],
  }
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config:
      side === 'downstream'
        ? { '@type': `${TLS}.DownstreamTlsContext`, require_client_certificate: true, common_tls_context: common }
        : {
            '@type': `${TLS}.UpstreamTlsContext`,
            sni: 'outbound_.80_._.meshmark.svc.cluster.local',
            common_tls_context: common,
          },
  }
}
