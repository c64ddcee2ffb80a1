/**
 * Which fields of a manifest the lab does as a cluster would (`true`), which it can do without and why (`ignore`), and
 * by omission which it refuses: nothing that changes what is measured is passed over in silence.
 */
interface FieldRules {
  readonly [field: string]: true | { readonly ignore: string } | FieldRules
}

export interface FieldFinding {
  readonly path: readonly (string | number)[]
  readonly reason: string
}

/** Applies to each item of a list. */
const EACH = '*'

const DESCRIPTION = {
  name: true,
  labels: true,
  namespace: { ignore: 'ignored: the lab has no namespaces' },
  annotations: { ignore: 'ignored: nothing in the lab reads annotations' },
} as const
const PROBE = { ignore: 'ignored: the lab waits until the port is listened on' } as const

export const deploymentFields: FieldRules = {
  apiVersion: true,
  kind: true,
  metadata: DESCRIPTION,
  spec: {
    replicas: true,
    selector: true,
    template: {
      metadata: DESCRIPTION,
      spec: {
        automountServiceAccountToken: { ignore: 'ignored: the lab has no API server' },
        serviceAccountName: { ignore: 'ignored: the identity is the name of the workload' },
        terminationGracePeriodSeconds: { ignore: 'ignored: the lab ends workloads at once' },
        containers: {
          [EACH]: {
            name: true,
            image: { ignore: 'ignored: the command runs on this machine; `node` is the Node that runs Vitest' },
            imagePullPolicy: { ignore: 'ignored: there is no image to pull' },
            command: true,
            args: true,
            env: { [EACH]: { name: true, value: true } },
            ports: { [EACH]: { name: true, containerPort: true, protocol: true } },
            readinessProbe: PROBE,
            livenessProbe: PROBE,
            startupProbe: PROBE,
            resources: {
              ignore: 'not applied: the lab pins each side to its CPUs instead (traits `client cpus`, `server cpus`)',
            },
            volumeMounts: { [EACH]: { name: true, mountPath: true, readOnly: true } },
          },
        },
        volumes: { [EACH]: { name: true, configMap: { name: true } } },
      },
    },
  },
}

export const serviceFields: FieldRules = {
  apiVersion: true,
  kind: true,
  metadata: DESCRIPTION,
  spec: {
    selector: true,
    type: { ignore: 'ignored: every service of the lab has a cluster address' },
    ports: { [EACH]: { name: true, port: true, targetPort: true, protocol: true, appProtocol: true } },
  },
}

/** Fields that the lab refuses or does without. The bundled programs' mount at /meshmark is the one volume that it knows. */
export function unhonoured(content: unknown, rules: FieldRules): { refused: FieldFinding[]; ignored: FieldFinding[] } {
  const refused: FieldFinding[] = []
  const ignored: FieldFinding[] = []
  walk(content, rules, [])
  return { refused, ignored }

  function walk(value: unknown, rule: FieldRules, path: readonly (string | number)[]): void {
    if (typeof value !== 'object' || value === null) return
    for (const [key, child] of Object.entries(value)) {
      const here = [...path, Array.isArray(value) ? Number(key) : key]
      const next = Array.isArray(value) ? rule[EACH] : rule[key]
      if (next === true) checkValue(key, child, here)
      else if (next === undefined)
        refused.push({ path: here, reason: "the lab can't do this; remove it, or run on Kubernetes" })
      else if (isIgnored(next)) ignored.push({ path: here, reason: next.ignore })
      else walk(child, next, here)
    }
  }

  function checkValue(key: string, value: unknown, path: readonly (string | number)[]): void {
    const allowed = ALLOWED_VALUES[key]
    if (!allowed || value === allowed.value) return
    refused.push({ path, reason: allowed.reason })
  }
}

const ALLOWED_VALUES: { readonly [field: string]: { value: unknown; reason: string } } = {
  protocol: { value: 'TCP', reason: 'the lab carries TCP' },
  mountPath: { value: '/meshmark', reason: "the lab can't mount volumes, except meshmark's own programs at /meshmark" },
}

function isIgnored(rule: FieldRules | { readonly ignore: string }): rule is { readonly ignore: string } {
  return typeof rule['ignore'] === 'string'
}
