import { FieldError, fieldsOf, itemsOf, textOf, textsByName } from './field.ts'
import type { Field } from './field.ts'
import type { Requirement, Selector } from './policy.ts'

export const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace'
/** Labels of a pod's namespace, as Cilium hangs them on the pod. */
const NAMESPACE_LABELS = 'io.cilium.k8s.namespace.labels.'
export const NAMESPACE_NAME_LABEL = `${NAMESPACE_LABELS}kubernetes.io/metadata.name`

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const

/** Requirements as written. Cilium's keys may carry a source (`k8s:app`); Kubernetes' can't. */
export function parseSelector(field: Field, dialect: 'cilium' | 'kubernetes'): Selector {
  const { matchLabels, matchExpressions } = fieldsOf(field, ['matchLabels', 'matchExpressions'])
  return {
    requirements: [
      ...(matchLabels ? textsByName(matchLabels) : []).map(({ name, text, at }) => ({
        ...parseKey(name, at, dialect),
        operator: 'In' as const,
        values: [text],
      })),
      ...(matchExpressions ? itemsOf(matchExpressions) : []).map((item) => parseExpression(item, dialect)),
    ],
  }
}

function parseExpression(field: Field, dialect: 'cilium' | 'kubernetes'): Requirement {
  const { key, operator, values } = fieldsOf(field, ['key', 'operator', 'values'])
  if (!key) throw new FieldError(field.path, 'an expression needs a key')
  if (!operator) throw new FieldError(field.path, `an expression needs an operator: ${OPERATORS.join(', ')}`)
  const match = OPERATORS.find((candidate) => candidate === operator.value)
  if (!match) throw new FieldError(operator.path, `operators are ${OPERATORS.join(', ')}`)
  const texts = values ? itemsOf(values).map(textOf) : []
  const takesValues = match === 'In' || match === 'NotIn'
  if (takesValues && texts.length === 0) throw new FieldError(field.path, `${match} needs values`)
  if (!takesValues && texts.length > 0) throw new FieldError(values?.path ?? field.path, `${match} takes no values`)
  return { ...parseKey(textOf(key), key, dialect), operator: match, values: texts }
}

function parseKey(
  key: string,
  at: Field,
  dialect: 'cilium' | 'kubernetes',
): { source: Requirement['source']; key: string } {
  if (key === '') throw new FieldError(at.path, 'a label has a name')
  if (dialect === 'kubernetes') {
    if (key.includes(':')) throw new FieldError(at.path, 'a label of Kubernetes has no colon')
    return { source: 'k8s', key }
  }
  // As Cilium: what stands before the first colon is the source.
  const colon = key.indexOf(':')
  const source = colon < 0 ? 'any' : key.slice(0, colon)
  const name = key.slice(colon + 1)
  if (source !== 'any' && source !== 'k8s' && source !== 'reserved') {
    throw new FieldError(at.path, `the lab's pods have labels of source k8s only, none of source "${source}"`)
  }
  if (source === 'reserved' && name !== 'host' && name !== 'world') {
    throw new FieldError(
      at.path,
      `the lab knows reserved:host and reserved:world only, nobody is reserved:${name} there`,
    )
  }
  if (name.startsWith(NAMESPACE_LABELS) && name !== NAMESPACE_NAME_LABEL) {
    throw new FieldError(at.path, `the lab's namespaces have no labels but kubernetes.io/metadata.name`)
  }
  return { source, key: name }
}

/** The selected pods of a policy: Cilium and Kubernetes keep them to the policy's own namespace. */
export function subjectOf(selector: Selector, field: Field, namespace: string | undefined): Selector {
  if (selector.requirements.some(({ source }) => source === 'reserved')) {
    throw new FieldError(field.path, 'reserved labels select no pod')
  }
  return namespace === undefined ? selector : inNamespace(selector, namespace)
}

/**
 * Peers of a Cilium policy: pods of the policy's namespace unless the selector names one; for a policy of the whole
 * cluster any pod, but never everything (pkg/k8s/apis/cilium.io/utils, getEndpointSelector).
 */
export function peersOf(selector: Selector, namespace: string | undefined): Selector {
  const names = (key: string, sources: readonly string[]): boolean =>
    selector.requirements.some((one) => one.key === key && sources.includes(one.source))
  if (selector.requirements.some(({ source }) => source === 'reserved')) return selector
  if (names(NAMESPACE_LABEL, ['any', 'k8s'])) return selector
  if (namespace === undefined) {
    return add(selector, { source: 'k8s', key: NAMESPACE_LABEL, operator: 'Exists', values: [] })
  }
  return names(NAMESPACE_NAME_LABEL, ['any', 'k8s']) ? selector : inNamespace(selector, namespace)
}

export function inNamespace(selector: Selector, namespace: string): Selector {
  return add(selector, { source: 'k8s', key: NAMESPACE_LABEL, operator: 'In', values: [namespace] })
}

function add({ requirements }: Selector, requirement: Requirement): Selector {
  return { requirements: [...requirements, requirement] }
}
