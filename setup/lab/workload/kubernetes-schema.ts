import * as v from 'valibot'

const text = v.pipe(v.string(), v.nonEmpty())
const portNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535))
const labels = v.record(v.string(), v.string())

/** One item, and a sentence for those who have more. */
function only<const TItem extends v.GenericSchema>(item: TItem, message: string): v.StrictTupleSchema<[TItem], string> {
  return v.strictTuple([item], message)
}

/** The parts of an apps/v1 Deployment that the lab runs. */
export const deploymentSchema = v.object({
  metadata: v.object({
    name: v.pipe(text, v.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a name has lower-case letters, digits and dashes')),
  }),
  spec: v.object({
    replicas: v.optional(v.literal(1, 'the lab runs 1 replica; write 1, or run on Kubernetes'), 1),
    template: v.object({
      metadata: v.object({ labels }),
      spec: v.object({
        containers: only(
          v.object({
            // Optional for a cluster, which has the image's own.
            command: v.optional(v.array(v.string('a command is a list of strings')), []),
            args: v.optional(v.array(v.string('an argument is a string')), []),
            env: v.optional(
              v.array(
                v.object({
                  name: text,
                  value: v.optional(v.string('the lab takes literal values only (a string; quote numbers)'), ''),
                }),
              ),
              [],
            ),
            ports: v.optional(v.array(v.object({ name: v.optional(text), containerPort: portNumber })), []),
          }),
          "the lab runs exactly 1 container; the sidecar is the mesh's",
        ),
      }),
    }),
  }),
})
export type Deployment = v.InferOutput<typeof deploymentSchema>

/** The parts of a v1 Service that the lab gives. */
export const serviceSchema = v.object({
  metadata: v.object({ name: text }),
  spec: v.object({
    selector: labels,
    ports: only(
      v.object({ port: portNumber, targetPort: v.optional(v.union([portNumber, text])) }),
      'the lab gives a service exactly 1 port',
    ),
  }),
})
export type Service = v.InferOutput<typeof serviceSchema>
