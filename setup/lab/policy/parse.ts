import type { Document } from 'yaml'
import { LabError } from '../lab-error.ts'
import { readPlainYaml } from '../workload/plain-yaml.ts'
import { parseYaml, readText, shownPath } from '../workload/yaml-source.ts'
import type { FieldPath, YamlSource } from '../workload/yaml-source.ts'
import { Field, FieldError, fieldsOf, itemsOf, textOf } from './field.ts'
import { parseCiliumSpec } from './parse-cilium.ts'
import { parseKubernetesSpec } from './parse-kubernetes.ts'
import type { Policy, PolicySpec } from './policy.ts'

/** Where manifests that name no namespace go, and all pods of the lab are. */
export const DEFAULT_NAMESPACE = 'default'

const API_VERSIONS = {
  CiliumNetworkPolicy: 'cilium.io/v2',
  CiliumClusterwideNetworkPolicy: 'cilium.io/v2',
  NetworkPolicy: 'networking.k8s.io/v1',
} as const

/**
 * Every policy of a file of YAML documents.
 * @throws LabError with file, line, column and field path, for what is wrong or what the lab can't enforce.
 */
export function readPolicies(file: string): Policy[] {
  return parsePolicies(readText(file, 'policy'), file)
}

/** As readPolicies, from text; `file` is its name in messages. */
export function parsePolicies(text: string, file: string): Policy[] {
  return plainPolicies(text, file) ?? policiesOf(parseYaml(text, file))
}

/**
 * A policy from an object, as a program makes it.
 * @throws FieldError
 */
export function parsePolicy(manifest: unknown, source: string): Policy {
  const root = new Field(manifest)
  const {
    apiVersion,
    kind: kindField,
    metadata,
    spec,
    specs,
  } = fieldsOf(root, ['apiVersion', 'kind', 'metadata', 'spec', 'specs', 'status'])
  const kind = kindOf(kindField)
  if (!kind) {
    throw new FieldError(kindField?.path ?? ['kind'], `the lab enforces ${Object.keys(API_VERSIONS).join(', ')} only`)
  }
  if (apiVersion?.value !== API_VERSIONS[kind]) {
    throw new FieldError(['apiVersion'], `a ${kind} has apiVersion: ${API_VERSIONS[kind]}`)
  }
  const clusterwide = kind === 'CiliumClusterwideNetworkPolicy'
  const { name, namespace } = metadata ? readMetadata(metadata) : {}
  if (!name) throw new FieldError(['metadata', 'name'], 'a policy needs a name')
  if (clusterwide && namespace) throw new FieldError(namespace.path, 'a policy of the whole cluster has no namespace')
  const home = clusterwide ? undefined : namespace ? textOf(namespace) : DEFAULT_NAMESPACE
  if (kind === 'NetworkPolicy' && specs) throw new FieldError(specs.path, 'a NetworkPolicy has one spec')
  const parsed: PolicySpec[] = []
  if (spec) {
    parsed.push(
      kind === 'NetworkPolicy' ? parseKubernetesSpec(spec, home ?? DEFAULT_NAMESPACE) : parseCiliumSpec(spec, home),
    )
  }
  if (specs) parsed.push(...itemsOf(specs).map((item) => parseCiliumSpec(item, home)))
  if (parsed.length === 0) throw new FieldError(['spec'], 'a policy needs a spec')
  return { kind, name: textOf(name), namespace: home, source, specs: parsed }
}

/** Undefined where the text is more than plain YAML, or something is wrong with it: that must be said with line and column. */
function plainPolicies(text: string, file: string): Policy[] | undefined {
  const documents = readPlainYaml(text)
  if (documents === undefined) return undefined
  try {
    const policies = documents.map(({ value, line, column }) =>
      parsePolicy(value, `${shownPath(file)}:${line}:${column}`),
    )
    return new Set(policies.map(idOf)).size === policies.length ? policies : undefined
  } catch (error) {
    if (error instanceof FieldError) return undefined
    throw error
  }
}

function policiesOf(source: YamlSource): Policy[] {
  const policies: Policy[] = []
  const fail = (document: Document.Parsed, path: FieldPath, message: string): LabError =>
    new LabError(`${source.locate(document, path)}: ${message}`)
  for (const document of source.documents) {
    const content: unknown = document.toJS()
    if (content === null || content === undefined) continue
    let policy: Policy
    try {
      policy = parsePolicy(content, source.locate(document, []).replace(/: the document$/, ''))
    } catch (error) {
      throw error instanceof FieldError ? fail(document, error.path, error.reason) : error
    }
    const same = policies.find((other) => idOf(other) === idOf(policy))
    if (same)
      throw fail(document, ['metadata', 'name'], `a second ${policy.kind} of that name (the first: ${same.source})`)
    policies.push(policy)
  }
  return policies
}

/** `CiliumNetworkPolicy default/deny-stranger`: unique among policies. */
export function idOf({ kind, namespace, name }: Policy): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

function kindOf(field: Field | undefined): keyof typeof API_VERSIONS | undefined {
  switch (field?.value) {
    case 'CiliumNetworkPolicy':
    case 'CiliumClusterwideNetworkPolicy':
    case 'NetworkPolicy':
      return field.value
    default:
      return undefined
  }
}

/** What a cluster writes there itself (uid, resourceVersion …) has no meaning for a policy. */
function readMetadata(field: Field): { name?: Field; namespace?: Field } {
  const { value } = field
  if (typeof value !== 'object' || value === null) throw new FieldError(field.path, 'a mapping was expected')
  const at = (name: 'name' | 'namespace'): Field | undefined => {
    const content: unknown = Reflect.get(value, name)
    return content === undefined || content === null || content === '' ? undefined : new Field(content, field, name)
  }
  const [name, namespace] = [at('name'), at('namespace')]
  return { ...(name && { name }), ...(namespace && { namespace }) }
}
