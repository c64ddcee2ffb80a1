/** As Promise.all, but it fails only when all have ended: what is still starting would escape the removal that follows. */
export async function settleAll<const T extends readonly Promise<unknown>[]>(
  promises: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}
