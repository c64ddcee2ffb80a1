#!/usr/bin/env node
/** `meshmark`: what is beside `vitest bench`. */
import { readFileSync } from 'node:fs'
import { defineCommand, runMain } from 'citty'

// The same path from setup/ and from dist/.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

await runMain(
  defineCommand({
    meta: {
      name: 'meshmark',
      version,
      description: 'What does our service mesh cost? Specs are run by `vitest bench`.',
    },
    subCommands: {
      doctor: () => import('./cli/doctor.ts').then((command) => command.doctor),
      clean: () => import('./cli/clean.ts').then((command) => command.clean),
      probe: () => import('./cli/probe.ts').then((command) => command.probe),
      explain: () => import('./cli/explain.ts').then((command) => command.explain),
    },
  }),
)
