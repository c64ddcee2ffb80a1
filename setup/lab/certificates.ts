import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { TRUST_DOMAIN } from './envoy/mutual-tls.ts'
import type { TlsFiles } from './envoy/mutual-tls.ts'
import { LabError } from './lab-error.ts'
import { markOfRun } from './program-environment.ts'

/** Certificates live as long as a run may; they are thrown away with it. */
const DAYS = '2'
const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Makes the run's certificate authority, in a directory that only root enters. */
export async function createAuthority(runDir: string): Promise<void> {
  const { directory, certificate, key } = authority(runDir)
  mkdirSync(directory, { mode: 0o700, recursive: true })
  await openssl(runDir, [
    'req',
    '-x509',
    ...EC_KEY,
    '-keyout',
    key,
    '-out',
    certificate,
    '-days',
    DAYS,
    '-subj',
    '/O=cluster.local',
  ])
}

/**
 * Issues a workload certificate `spiffe://cluster.local/ns/meshmark/sa/<account>` for client and server use, and lays it
 * with its key (0400) and the authority's certificate into `directory`, owned by `user`.
 */
export async function issueCertificate(
  runDir: string,
  directory: string,
  account: string,
  user: number,
): Promise<TlsFiles> {
  const ca = authority(runDir)
  const files = {
    certificate: join(directory, 'cert.pem'),
    key: join(directory, 'key.pem'),
    authority: join(directory, 'ca.pem'),
  }
  const request = join(directory, 'request.pem')
  const extensions = join(directory, 'extensions.cnf')
  writeFileSync(
    extensions,
    [
      `subjectAltName=critical,URI:${TRUST_DOMAIN}ns/meshmark/sa/${account}`,
      'keyUsage=critical,digitalSignature,keyEncipherment',
      'extendedKeyUsage=serverAuth,clientAuth',
      'basicConstraints=critical,CA:FALSE',
    ].join('\n'),
  )
  await openssl(runDir, ['req', '-new', ...EC_KEY, '-keyout', files.key, '-out', request, '-subj', '/'])
  // Two commands rather than `req -x509 -CA`, which OpenSSL 1.1.1 (Debian 11, Ubuntu 20.04) doesn't know.
  await openssl(runDir, [
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    ca.certificate,
    '-CAkey',
    ca.key,
    '-set_serial',
    `0x${serial()}`,
    '-days',
    DAYS,
    '-out',
    files.certificate,
    '-extfile',
    extensions,
  ])
  copyFileSync(ca.certificate, files.authority)
  rmSync(request)
  rmSync(extensions)
  for (const file of Object.values(files)) {
    chmodSync(file, 0o400)
    chownSync(file, user, user)
  }
  return files
}

/** A positive serial of 15 bytes, unique without a file that workers would have to share. */
function serial(): string {
  return `01${randomBytes(15).toString('hex')}`
}

function authority(runDir: string): { directory: string; certificate: string; key: string } {
  const directory = join(runDir, 'ca')
  return { directory, certificate: join(directory, 'ca.pem'), key: join(directory, 'ca.key') }
}

async function openssl(runDir: string, args: readonly string[]): Promise<void> {
  const result = await execa('openssl', args, { stdin: 'ignore', env: markOfRun(basename(runDir)), reject: false })
  if (result.failed) {
    throw new LabError(
      `openssl ${args[0] ?? ''} failed: ${(result.stderr || result.shortMessage || '').trim()}. The lab's mutual TLS needs the package openssl.`,
    )
  }
}
