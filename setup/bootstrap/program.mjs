/** Finding and running programs. No shell anywhere. */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, createWriteStream, mkdirSync, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * PATH's folders, with the system's own behind them: root's programs are missing from many a PATH.
 * @param {NodeJS.ProcessEnv} env
 */
export function searchPath(env) {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))]
}

/**
 * Where a program is.
 * @param {string} program
 * @param {string[]} folders
 * @returns {string | undefined}
 */
export function which(program, folders) {
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * What a quick program prints; undefined when it cannot be run, fails, or takes over 20 s.
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function outputOf(program, args, env = process.env) {
  const result = spawnSync(program, args, { env, encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/** What a finished program says of itself. 128 + signal where a signal ended it, 127 where it could not be started. */
const exitCodeOf = (code, signal) => code ?? 128 + (osConstants.signals[signal] ?? 0)

/**
 * Runs a program with its output in a log file, and a line now and then so that a long silence isn't taken for a hang.
 * @param {string[]} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, log: string, onQuiet?: (seconds: number, lastLine: string) => void }} options
 * @returns {Promise<{ exitCode: number, tail: string, seconds: number }>} `tail`: the last 100 lines
 */
export async function runLogged([program, ...args], { cwd, env, log, onQuiet }) {
  mkdirSync(dirname(log), { recursive: true })
  const file = createWriteStream(log)
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  let tail = ''
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      file.write(text)
      tail = (tail + text).slice(-20_000)
    })
  }
  const lastLine = () => tail.trimEnd().split('\n').at(-1)?.slice(0, 120) ?? ''
  const timer = setInterval(() => onQuiet?.(seconds(), lastLine()), 15_000)
  const stop = forwardSignals(child)
  const exitCode = await new Promise((resolve) => {
    child.once('error', (error) => {
      tail += `${program} could not be started: ${error.message}\n`
      resolve(127)
    })
    child.once('close', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
  clearInterval(timer)
  const interrupted = stop()
  await new Promise((resolve) => file.end(resolve))
  if (interrupted) process.exit(128 + osConstants.signals[interrupted])
  return { exitCode, tail: tail.trimEnd().split('\n').slice(-100).join('\n'), seconds: seconds() }
}

/**
 * Runs a program in our place: our own streams, signals passed on, its exit code as the result.
 * @param {string[]} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<number>}
 */
export async function runForeground([program, ...args], { cwd, env }) {
  const child = spawn(program, args, { cwd, env, stdio: 'inherit' })
  const stop = forwardSignals(child)
  const exitCode = await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`${program} could not be started: ${error.message}`)))
    child.once('close', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
  stop()
  return exitCode
}

/**
 * Passes SIGINT, SIGTERM and SIGHUP on to the child, and waits for it instead of dying. One signal a second at most:
 * npm passes on what the terminal has already sent. A Ctrl-C at a terminal reaches the child without us, and a second
 * one would make Vitest give up its tear-down, so there it is only waited for.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => NodeJS.Signals | undefined} stops it, and gives the first signal that came
 */
function forwardSignals(child) {
  /** @type {Map<NodeJS.Signals, number>} */
  const sent = new Map()
  /** @type {NodeJS.Signals | undefined} */
  let first
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    first ??= signal
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    if (performance.now() - (sent.get(signal) ?? -Infinity) < 1000) return
    sent.set(signal, performance.now())
    child.kill(signal)
  }
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  return () => {
    for (const signal of signals) process.off(signal, forward)
    return first
  }
}
