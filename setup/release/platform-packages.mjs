#!/usr/bin/env node
/**
 * The optional packages that carry the prebuilt programs of probes/, one for each platform:
 *
 *   node setup/release/platform-packages.mjs           packs what is built (probes/prebuilt/linux-x64, …-arm64) into dist/platform/
 *   node setup/release/platform-packages.mjs --depend  also names them in package.json's optionalDependencies, for publishing
 *
 * They are built by `npm run build:probes` on a machine of their own kind, for arm64 elsewhere too (`-- --target arm64`), and published before meshmark itself, with its version: os and
 * cpu let npm install only the one that fits, and a package that can't be installed is left out without an error.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Node's names for what the lab runs on. */
const PLATFORMS = [
  { os: 'linux', cpu: 'x64' },
  { os: 'linux', cpu: 'arm64' },
]

/** @param {{ os: string, cpu: string }} platform */
const packageName = ({ os, cpu }) => `@meshmark/probes-${os}-${cpu}`

/**
 * @param {{ os: string, cpu: string }} platform
 * @param {{ version: string, license: string }} meshmark
 */
function platformManifest(platform, { version, license }) {
  return {
    name: packageName(platform),
    version,
    description: `meshmark's eBPF programs and their loaders, built for ${platform.os}-${platform.cpu}.`,
    license,
    os: [platform.os],
    cpu: [platform.cpu],
    files: ['meshmark-*'],
    exports: { './package.json': './package.json' },
    publishConfig: { access: 'public', provenance: true },
  }
}

/**
 * @param {{ os: string, cpu: string }} platform
 * @param {{ version: string, license: string }} meshmark
 * @returns {string | undefined} the package's folder; undefined where nothing is built for the platform
 */
function pack(platform, meshmark) {
  const built = join(root, 'probes/prebuilt', `${platform.os}-${platform.cpu}`)
  const programs = existsSync(built) ? readdirSync(built).filter((name) => name.startsWith('meshmark-')) : []
  if (programs.length === 0) return undefined
  const folder = join(root, 'dist/platform', packageName(platform).replace('/', '+'))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const program of programs) {
    cpSync(join(built, program), join(folder, program))
    chmodSync(join(folder, program), 0o755)
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(platformManifest(platform, meshmark), null, 2)}\n`)
  return folder
}

if (import.meta.main ?? process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(root, 'package.json')
  const meshmark = JSON.parse(readFileSync(file, 'utf8'))
  for (const platform of PLATFORMS) {
    const folder = pack(platform, meshmark)
    process.stdout.write(
      `${packageName(platform)}: ${folder ?? `nothing built for it here: npm run build:probes on such a machine${platform.cpu === 'arm64' ? ', or -- --target arm64 on a Debian' : ''}`}\n`,
    )
  }
  if (process.argv.includes('--depend')) {
    meshmark.optionalDependencies = Object.fromEntries(
      PLATFORMS.map((platform) => [packageName(platform), meshmark.version]),
    )
    writeFileSync(file, `${JSON.stringify(meshmark, null, 2)}\n`)
  }
}
