import type { Lab } from '../../setup/lab/index.ts'

/**
 * Runs a program in the client pod, on the load agent's CPU and at its priority, and gives what it printed.
 * @throws Error with its last words when it fails
 */
export async function inClientPod(lab: Lab, command: readonly string[]): Promise<string> {
  const client = lab.pod('client').run(command)
  let text = ''
  let errors = ''
  client.stdout.setEncoding('utf8')
  client.stderr.setEncoding('utf8')
  client.stdout.on('data', (part: string) => (text += part))
  client.stderr.on('data', (part: string) => (errors += part))
  const how = await client.ended
  if (!how.endsWith('exit code 0')) throw new Error(`${how}: ${errors.trim().slice(-2000)}`)
  return text
}
