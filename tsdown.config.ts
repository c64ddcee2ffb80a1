import { defineConfig, type UserConfig } from 'tsdown'

/** Entries that `exports` of package.json names: the only ones with declarations. */
const exported = {
  index: 'setup/plugin/index.ts',
  test: 'fixtures/index.ts',
  reporter: 'reporters/comparison-reporter.ts',
  provider: 'measure/provider/index.ts',
  setup: 'fixtures/setup-file.ts',
  'global-setup': 'setup/global-setup.ts',
}

const shared: UserConfig = {
  format: 'esm',
  platform: 'node',
  target: 'node22.12',
  fixedExtension: false,
  outDir: 'dist',
  // Nothing of node_modules is bundled: dependencies and peers stay imports, and anything else is an error.
  deps: { onlyBundle: [] },
  // `sideEffects: false` in package.json is for our users' bundlers: here it would drop an `import './x.ts'` without names.
  treeshake: { moduleSideEffects: [{ external: false, sideEffects: true }] },
  dts: false,
  report: false,
}

export default defineConfig([
  {
    ...shared,
    name: 'package',
    entry: { ...exported, cli: 'setup/cli.ts' },
    // By the compiler, not oxc: the types of valibot schemas are inferred, which isolated declarations don't allow.
    dts: { generator: 'tsgo', entry: Object.values(exported) },
    suppressWarnings: 'TypeScript 7.0 does not yet have a stable API',
  },
  // Each of these is one file that needs no chunk beside it: it is started by its path, in pods also mounted alone.
  { ...shared, name: 'agent', entry: { agent: 'measure/agent/main.ts' } },
  { ...shared, name: 'echo', entry: { echo: 'setup/lab/echo/http-echo.ts' } },
])
