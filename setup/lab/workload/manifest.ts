import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import * as v from 'valibot'
import type { Document } from 'yaml'
import { packageRoot } from '../../../measure/package-root.ts'
import { LabError } from '../lab-error.ts'
import { commandOf } from './bundled-programs.ts'
import { deploymentSchema, serviceSchema } from './kubernetes-schema.ts'
import type { Deployment, Service } from './kubernetes-schema.ts'
import { deploymentFields, serviceFields, unhonoured } from './honoured-fields.ts'
import type { ResolvedWorkload } from './resolved-workload.ts'
import { readYaml, shownPath } from './yaml-source.ts'
import type { FieldPath } from './yaml-source.ts'

/** A string with a slash or a YAML ending is a path, anything else a name. */
export function isManifestPath(spec: string): boolean {
  return /\.ya?ml$/.test(spec) || spec.includes('/')
}

/**
 * The file that a name or path means: the project's own manifests come before the package's.
 * @throws LabError that lists where it was looked for.
 */
export function manifestFile(spec: string, root: string): string {
  const candidates = isManifestPath(spec)
    ? [isAbsolute(spec) ? spec : resolve(root, spec)]
    : [root, packageRoot()].map((folder) => join(folder, 'manifests', 'workloads', `${spec}.yaml`))
  const file = candidates.find((candidate) => existsSync(candidate))
  if (file !== undefined) return file
  throw new LabError(
    `There is no workload "${spec}": looked for ${[...new Set(candidates)].join(' and ')}. Correct the name, or write that file (a Deployment and a Service).`,
  )
}

/**
 * Reads a Deployment and its Service as a cluster would take them.
 * @throws LabError with file, line, column and field path for what can't be read or honoured.
 */
export function readWorkloadManifest(file: string, name?: string): ResolvedWorkload {
  const source = readYaml(file)
  const fail = (document: Document.Parsed, path: FieldPath, message: string): LabError =>
    new LabError(`${source.locate(document, path)}: ${message}`)
  let deployment: Deployment | undefined
  let deploymentDocument: Document.Parsed | undefined
  let service: Service | undefined
  const notices: string[] = []
  for (const document of source.documents) {
    const content: unknown = document.toJS()
    if (content === null) continue
    const kind = kindOf(content)
    if (kind !== 'Deployment' && kind !== 'Service') {
      throw fail(
        document,
        ['kind'],
        'the lab reads a Deployment and a Service only. Remove the document, or run on Kubernetes.',
      )
    }
    if (kind === 'Deployment' ? deployment : service) {
      throw fail(document, ['kind'], `a second ${kind}: one workload is one Deployment and one Service.`)
    }
    const check = unhonoured(content, kind === 'Deployment' ? deploymentFields : serviceFields)
    const refused = check.refused[0]
    if (refused) throw fail(document, refused.path, refused.reason)
    notices.push(...check.ignored.map(({ path, reason }) => `${source.locate(document, path)}: ${reason}`))
    if (kind === 'Deployment') {
      deployment = read(deploymentSchema, content, (path, message) => fail(document, path, message))
      deploymentDocument = document
    } else {
      service = read(serviceSchema, content, (path, message) => fail(document, path, message))
    }
  }
  if (!deployment || !deploymentDocument || !service) {
    throw new LabError(
      `${shownPath(file)}: a workload is a Deployment and a Service; the ${deployment ? 'Service' : 'Deployment'} is missing.`,
    )
  }
  const container = deployment.spec.template.spec.containers[0]
  const servicePort = service.spec.ports[0]
  const port = targetPort(service, deployment)
  if (container.command.length === 0) {
    throw fail(
      deploymentDocument,
      ['spec', 'template', 'spec', 'containers', 0, 'command'],
      'the lab runs the command on this machine, not the image: name one, as ["node", "/meshmark/echo.js"]',
    )
  }
  const containerPath = ['spec', 'template', 'spec', 'containers', 0]
  if (port === undefined) {
    throw fail(
      deploymentDocument,
      [...containerPath, 'ports'],
      `no port named "${String(servicePort.targetPort)}", which the Service's targetPort asks for.`,
    )
  }
  const selected = Object.entries(service.spec.selector).every(
    ([key, value]) => deployment.spec.template.metadata.labels[key] === value,
  )
  if (!selected) {
    throw fail(
      deploymentDocument,
      ['spec', 'template', 'metadata', 'labels'],
      'the Service does not select these labels: on a cluster it would have no pods.',
    )
  }
  return {
    name: name ?? deployment.metadata.name,
    command: commandOf([...container.command, ...container.args], (message) =>
      fail(deploymentDocument, [...containerPath, 'command'], message),
    ),
    env: Object.fromEntries(container.env.map(({ name: variable, value }) => [variable, value])),
    port,
    servicePort: servicePort.port,
    ports: container.ports.flatMap(({ name: portName, containerPort }) =>
      portName === undefined ? [] : [{ name: portName, port: containerPort }],
    ),
    labels: deployment.spec.template.metadata.labels,
    cwd: undefined,
    protocol: 'http/1.1',
    notices,
  }
}

function read<const TSchema extends v.GenericSchema>(
  schema: TSchema,
  content: unknown,
  fail: (path: FieldPath, message: string) => LabError,
): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, content)
  if (result.success) return result.output
  const issue = result.issues[0]
  const path = (issue.path ?? [])
    .map((item) => item.key)
    .filter((key) => typeof key === 'string' || typeof key === 'number')
  throw fail(path, issue.message)
}

function targetPort(service: Service, deployment: Deployment): number | undefined {
  const [{ port, targetPort: target }] = service.spec.ports
  if (typeof target === 'number') return target
  if (target === undefined) return port
  return deployment.spec.template.spec.containers[0].ports.find((candidate) => candidate.name === target)?.containerPort
}

function kindOf(content: unknown): string | undefined {
  return typeof content === 'object' && content !== null && 'kind' in content && typeof content.kind === 'string'
    ? content.kind
    : undefined
}
