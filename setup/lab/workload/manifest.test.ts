import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../../../measure/package-root.ts'
import { resolveWorkload } from './workload.ts'

const HTTP_ECHO = readFileSync(join(packageRoot(), 'manifests/workloads/http-echo.yaml'), 'utf8')

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'meshmark-manifest-'))))
afterEach(() => rmSync(root, { recursive: true }))

/** What the lab says to http-echo.yaml with one text replaced. */
function refusal(text: string, replacement: string): string {
  expect(HTTP_ECHO).toContain(text)
  return refusalOf(HTTP_ECHO.replace(text, replacement))
}

function refusalOf(yaml: string): string {
  writeFileSync(join(root, 'w.yaml'), yaml)
  try {
    resolveWorkload('w.yaml', root)
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(`${root}/`, '') : String(error)
  }
  return 'it was taken'
}

test("the package's http-echo as the lab runs it", () => {
  expect(resolveWorkload('http-echo', root)).toEqual({
    name: 'http-echo',
    labels: { app: 'http-echo' },
    ports: [{ name: 'http', port: 8080 }],
    command: ['node', join(packageRoot(), 'setup/lab/echo/http-echo.ts')],
    env: { PORT: '8080' },
    port: 8080,
    servicePort: 8080,
    cwd: undefined,
    protocol: 'http/1.1',
    notices: [
      expect.stringContaining('containers[0].image: ignored: the command runs on this machine'),
      expect.stringContaining('readinessProbe: ignored'),
    ],
  })
})

test("the project's own manifest of that name comes first", () => {
  mkdirSync(join(root, 'manifests/workloads'), { recursive: true })
  writeFileSync(
    join(root, 'manifests/workloads/http-echo.yaml'),
    HTTP_ECHO.replace('port: 8080\n      targetPort', 'port: 80\n      targetPort'),
  )
  expect(resolveWorkload('http-echo', root)).toMatchObject({ port: 8080, servicePort: 80 })
})

test('malformed YAML: file, line and column', () => {
  expect(refusal('  replicas: 1', '  replicas: [1')).toMatchInlineSnapshot(
    `"w.yaml:11:3: this is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"`,
  )
})

test.for([
  ['more replicas', 'replicas: 1', 'replicas: 3'],
  [
    'a field that would change what runs',
    '    spec:\n      containers',
    '    spec:\n      hostNetwork: true\n      containers',
  ],
  ['another volume', 'mountPath: /meshmark', 'mountPath: /data'],
  ['a volume of another kind', 'configMap:\n            name: meshmark', 'emptyDir: {}'],
  ['UDP', 'containerPort: 8080', 'containerPort: 8080\n              protocol: UDP'],
  ['a value from elsewhere', 'value: "8080"', 'valueFrom: { fieldRef: { fieldPath: status.podIP } }'],
  ['a number as a value', 'value: "8080"', 'value: 8080'],
  ['no command', 'command: [node, /meshmark/echo.js]', 'args: []'],
  ['an unknown program of meshmark', 'echo.js', 'reverb.js'],
  ['a port of another name', 'targetPort: http', 'targetPort: web'],
  ['a service that selects other pods', 'selector:\n    app: http-echo', 'selector:\n    app: other'],
  ['another kind', 'kind: Service', 'kind: Ingress'],
] as const)('refuses %s, naming the field', ([, text, replacement]) => {
  expect(refusal(text, replacement)).toMatchSnapshot()
})

test('a file without its Service', () => {
  expect(refusalOf(HTTP_ECHO.split('---')[0] ?? '')).toMatchInlineSnapshot(
    `"w.yaml: a workload is a Deployment and a Service; the Service is missing."`,
  )
})

test('a directory where a file should be', () => {
  mkdirSync(join(root, 'w.yaml'))
  expect(() => resolveWorkload('w.yaml', root)).toThrow(/^Can't read the workload .*w\.yaml: EISDIR/)
})
