/**
 * The Node that working on meshmark takes: Vitest 5 runs on `^22.12 || ^24 || >=26`, tsdown on the narrower range
 * below, so this is what both run on. (Users of the published package need Vitest's range only.)
 */
export const SUPPORTED_NODE = '^22.18 || ^24.11 || >=26'

/**
 * `v26.10.0` or `26.10.0` as numbers; undefined for anything else.
 * @param {string} text
 * @returns {[major: number, minor: number, patch: number] | undefined}
 */
export function parseVersion(text) {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text.trim())
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined
}

/**
 * Whether that Node can run Vitest 5 and the build. Pre-releases count as their release; odd majors are not supported.
 * @param {string} text
 */
export function isSupportedNode(text) {
  const version = parseVersion(text)
  if (!version) return false
  const [major, minor] = version
  return (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26
}
