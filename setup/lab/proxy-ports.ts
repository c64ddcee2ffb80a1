/** Ports that the sidecar keeps for itself, as Istio's does (istio.io: ports used by Istio sidecar). */
export const OUTBOUND_PORT = 15001
export const INBOUND_PORT = 15006

const FIRST = 15000
const LAST = 15090

export function isProxyPort(port: number): boolean {
  return port >= FIRST && port <= LAST
}
