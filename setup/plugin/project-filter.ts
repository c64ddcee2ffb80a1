/**
 * `--project istio` must mean our project: Vitest 5.1 matches the filter against the name with its ` (bench)` suffix
 * (vitest #11149), so the plugin widens the filter before it is used. Harmless once that is mended there.
 */

/** @throws Error for a plain name that is no project of this configuration */
export function widenProjectFilter(
  filter: readonly string[],
  projects: readonly string[],
  others: readonly string[] | 'unknown',
): string[] {
  for (const entry of filter) {
    const name = entry.replace(/^!/, '').replace(/ \(bench\)$/, '')
    if (name.includes('*') || projects.includes(name) || others === 'unknown' || others.includes(name)) continue
    throw new Error(
      `--project ${entry}: there is no such project. This configuration has ${projects.join(', ')}${whyNoProject(name)}.`,
    )
  }
  return filter.map((entry) => (entry.endsWith('(bench)') || entry.endsWith('*') ? entry : `${entry} (bench)`))
}

/** What would make it one, as the rest of a sentence. */
export function whyNoProject(name: string): string {
  if (name === 'cilium')
    return ". It is named in meshmark({ meshes }) where that names any, and the lab's cilium needs its loader: `npx meshmark doctor` says what is missing"
  return name === 'versus' ? '. It compares two meshes with each other: name both in meshmark({ meshes })' : ''
}
