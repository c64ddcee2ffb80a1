/** Runs a real `vitest bench` on the packed package, in a folder of its own inside the packed project. */
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { execa } from 'execa'
import { inject } from 'vitest'

export interface RunOptions {
  /** Arguments after `vitest bench`. */
  args?: string[]
  /** `vitest run` instead of `vitest bench`. */
  command?: 'bench' | 'run'
  /** Beside a small fixed environment: nothing of the machine's `CI` or of the Vitest around us gets in. */
  env?: Record<string, string>
  /** What runs Vitest's own file: default the Node that runs the tests, which is one that Vitest supports. */
  launcher?: readonly [string, ...string[]]
  /** Default 120 s; then the run and all that it started is killed. */
  timeoutMs?: number
}

export interface BenchOptions extends RunOptions {
  /** Path → content: `vitest.config.ts`, specs, manifests. Specs' configurations set `gate` themselves. */
  files: Record<string, string>
}

export interface BenchRun {
  /** 128 + signal number where a signal ended it. */
  exitCode: number
  stdout: string
  stderr: string
  /** What `meshmark-results/record.json` holds; undefined when there is none. */
  record: unknown
  timedOut: boolean
}

export interface StartedBench {
  /** Vitest's main process, leader of a process group of its own as under a terminal: to signal it, read its output as it comes, know its pid. */
  child: VitestProcess
  /** The folder that it runs in. */
  directory: string
  finished: Promise<BenchRun>
  /** Kills what still runs and removes the folder. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A folder with specs, for several runs. */
export interface BenchFolder {
  directory: string
  start(options?: RunOptions): Omit<StartedBench, typeof Symbol.asyncDispose>
  run(options?: RunOptions): Promise<BenchRun>
  /** Of a file in it. */
  read(path: string): Promise<string>
  /** Gives it to another user, who may then run the packed project, too. */
  giveTo(user: number): Promise<void>
  /** Kills what still runs in it and removes it. */
  [Symbol.asyncDispose](): Promise<void>
}

const TIMEOUT_MS = 120_000
/** After the end of Vitest, what its own children may still hold of its streams. */
const STREAM_GRACE_MS = 2000

/** Runs to the end and removes its folder. */
export async function runBench({ files, ...options }: BenchOptions): Promise<BenchRun> {
  await using folder = await benchFolder(files)
  return await folder.run(options)
}

/** Starts a run and leaves the rest to the test: `await using bench = await startBench(…)`. */
export async function startBench({ files, ...options }: BenchOptions): Promise<StartedBench> {
  const folder = await benchFolder(files)
  return { ...folder.start(options), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

export async function benchFolder(files: Record<string, string>): Promise<BenchFolder> {
  const project = inject('packedProject').directory
  const directory = await mkdtemp(join(project, 'runs', 'run-'))
  await writeFiles(directory, files)
  const children: VitestProcess[] = []
  const start = (options: RunOptions = {}): Omit<StartedBench, typeof Symbol.asyncDispose> => {
    const child = spawnVitest(project, directory, options)
    children.push(child)
    return { child, directory, finished: finish(child, directory) }
  }
  return {
    directory,
    start,
    run: (options) => start(options).finished,
    read: (path) => readFile(join(directory, path), 'utf8'),
    async giveTo(user) {
      await chmod(project, 0o755)
      // Vite writes the bundled configuration there, and fails where an earlier run of root has made the folder.
      const viteTemporary = join(project, 'node_modules/.vite-temp')
      await mkdir(viteTemporary, { recursive: true })
      await chmod(viteTemporary, 0o777)
      await chmod(directory, 0o755)
      await chown(directory, user, user)
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGTERM')
      await Promise.all(children)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export type VitestProcess = ReturnType<typeof spawnVitest>

function spawnVitest(
  project: string,
  directory: string,
  { args = [], command = 'bench', env = {}, launcher = [process.execPath], timeoutMs = TIMEOUT_MS }: RunOptions,
) {
  const [program, ...before] = launcher
  return execa(program, [...before, join(project, 'node_modules/vitest/vitest.mjs'), command, ...args], {
    cwd: directory,
    env: { ...plainEnvironment(project), ...env },
    extendEnv: false,
    stdin: 'ignore',
    detached: true,
    reject: false,
    timeout: timeoutMs,
    forceKillAfterDelay: 10_000,
  })
}

async function finish(child: VitestProcess, directory: string): Promise<BenchRun> {
  const { nodeChildProcess: vitest, stdout, stderr } = child
  // Killed, it may leave children that hold its streams open: those are not waited for.
  vitest.once('exit', () => {
    setTimeout(() => [stdout, stderr].forEach((stream) => stream.destroy()), STREAM_GRACE_MS).unref()
  })
  const result = await child
  return {
    exitCode: vitest.exitCode ?? 128 + constants.signals[vitest.signalCode ?? 'SIGKILL'],
    stdout: result.stdout,
    stderr: result.stderr,
    record: await readRecord(directory),
    timedOut: result.timedOut,
  }
}

async function readRecord(directory: string): Promise<unknown> {
  const text = await readFile(join(directory, 'meshmark-results/record.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : JSON.parse(text)
}

async function writeFiles(directory: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
}

/** Enough to run, and the same on every machine: no `CI`, no colours, no other Vitest's or npm's variables. */
export function plainEnvironment(project: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => ['HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR'].includes(name) || name.startsWith('MESHMARK_'),
  )
  const path = [join(project, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH'] ?? '']
  return { ...(Object.fromEntries(kept) as Record<string, string>), PATH: path.join(delimiter), NO_COLOR: '1' }
}
