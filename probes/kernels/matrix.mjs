#!/usr/bin/env node
/**
 * The programs in each kernel of the matrix and in this machine's own: `node probes/kernels/matrix.mjs [SERIES…] [--write]`.
 * Prints the table; `--write` puts it into docs/kernels.md.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, release } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runLogged, searchPath } from '../../setup/bootstrap/program.mjs'
import { SetupError } from '../../setup/bootstrap/setup-error.mjs'
import { complaints, readConsole } from './console.mjs'
import { boot, fetch, findQemu } from './emulator.mjs'
import { makeGuest, packGuest } from './guest.mjs'
import { testPrograms } from './programs.mjs'
import { renderTables, untried } from './table.mjs'

/** What `fetch.sh` knows, the slowest first. */
const SERIES = ['7', '6.12', '5.10', '6.1']
/** This machine's own. */
const OWN = 'own'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const work = join(root, 'probes/target/kernels')
const page = join(root, 'docs/kernels.md')
const [begin, end] = ['<!-- written by probes/kernels/matrix.mjs --write -->', '<!-- up to here -->']
const say = (line) => void process.stdout.write(`${line}\n`)

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
async function main(args) {
  const write = args.includes('--write')
  const named = args.filter((arg) => arg !== '--write')
  const unknown = named.find((name) => ![...SERIES, OWN].includes(name))
  if (unknown) throw new SetupError(`There is no kernel ${unknown}; there are ${[...SERIES, OWN].join(', ')}.`)
  if (process.arch !== 'x64')
    say(`On ${process.arch} only this machine's own kernel is tried: the others are booted on x64.`)
  const all = process.arch === 'x64' ? [...SERIES, OWN] : [OWN]
  const wanted = named.length > 0 ? all.filter((name) => named.includes(name)) : all

  const programs = await testPrograms(root, process.env)
  const begun = performance.now()
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const folders = searchPath(process.env)
  const kernels = new Map(wanted.filter((name) => name !== OWN).map((name) => [name, fetch(name)]))
  const qemu = kernels.size > 0 ? findQemu(folders) : []
  const guest = join(work, 'guest')
  const script = [
    // How a server's address comes to be known changed last with 6.15; on 7, whose clock is slow here, every rung is enough.
    'case $EMULATED$(uname -r) in emulated-[7-9]*) ladder=ladder::every_rung ;; *) ladder=ladder:: ;; esac',
    // Of the probes' tests those that want no more than `ip`.
    `${programs.probeTests} --test-threads=1 --nocapture $ladder a_kernel_without_its_types`,
    `MESHMARK_DATAPATH=${programs.datapath} ${programs.datapathTests} --test-threads=1 --nocapture kernel::`,
  ].join('\n')
  if (kernels.size > 0) makeGuest(guest, { programs, script, folders })

  /** @type {Map<string, import('./console.mjs').Outcome>} */
  const outcomes = new Map()
  const attempt = async (name) => {
    const log = join(work, `${name}.log`)
    const context = { cwd: root, env: { ...process.env, RUST_BACKTRACE: '0' }, log }
    const kernel = kernels.get(name)
    const image = join(work, `${name}.img`)
    if (kernel) packGuest(guest, kernel, image)
    const { seconds } = kernel
      ? await boot(qemu, { kernel, image, isPreempted: Number(name) >= 7, ...context })
      : await runLogged(['sh', '-c', `echo "kernel ${release()}"\n${script}`], context)
    const outcome = { ...readConsole(readFileSync(log, 'utf8')), seconds: seconds.toFixed(1) }
    outcomes.set(name, outcome)
    const wrong = complaints(name, outcome)
    say(
      `${wrong.length > 0 ? 'FAIL' : 'ok  '}  ${(outcome.release ?? name).padEnd(28)}${outcome.seconds.padStart(7)} s`,
    )
    for (const line of wrong) say(`      ${line}`)
    if (wrong.length > 0) say(`      (all of it: ${log})`)
    for (const line of outcome.results) say(line)
    return wrong.length
  }
  // One more than CPUs: they are not all at work until the end.
  const failures = await inParallel(wanted, Math.min(3, availableParallelism() + 1), attempt)

  const inOrder = ['5.10', '6.1', '6.12', OWN, '7'].flatMap((name) => outcomes.get(name) ?? [])
  const left = named.length > 0 || process.arch !== 'x64' ? [] : untried(inOrder)
  if (left.length > 0) say(`FAIL  rungs that no kernel took: ${left.join(', ')}`)
  const tables = renderTables(inOrder)
  const seconds = ((performance.now() - begun) / 1000).toFixed(0)
  say(`\n${tables}\n\n${count(wanted.length)} in ${seconds} s`)
  const wrong = failures.some((count) => count > 0) || left.length > 0
  if (write && !wrong) writePage(tables, seconds)
  return wrong ? 1 : 0
}

/** @param {number} kernels */
const count = (kernels) => (kernels === 1 ? 'One kernel' : `${kernels} kernels`)

/** @param {string} tables @param {string} seconds */
function writePage(tables, seconds) {
  const text = readFileSync(page, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to === -1) throw new SetupError(`${page} has no place for the table (${begin} … ${end})`)
  const date = new Date().toISOString().slice(0, 10)
  const note = `Written on ${date}, by a run of ${seconds} s on a machine with ${availableParallelism()} CPUs whose own kernel is ${release()}.`
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${note}\n\n${tables}\n\n${text.slice(to)}`)
}

/**
 * @template T, R
 * @param {T[]} items
 * @param {number} workers
 * @param {(item: T) => Promise<R>} act
 * @returns {Promise<R[]>}
 */
async function inParallel(items, workers, act) {
  const [queue, results] = [[...items], []]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) results.push(await act(item))
  }
  await Promise.all(Array.from({ length: workers }, worker))
  return results
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : error?.stack}\n`)
  process.exitCode = 1
}
