/** Milliseconds between two steps. */
const STEP = 100

/** Begins all of `works`, in their order and evenly over `ms`, by one timer. `pause` waits so many ms. Resolves when all are done. */
export async function spread(
  works: readonly (() => Promise<void>)[],
  ms: number,
  pause: (ms: number) => Promise<unknown>,
): Promise<void> {
  const steps = Math.max(1, Math.min(works.length, Math.floor(ms / STEP)))
  const startOf = (step: number): number => Math.round((works.length * step) / steps)
  const begun: Promise<void>[] = []
  for (let step = 0; step < steps; step++) {
    if (step > 0) await pause(ms / steps)
    begun.push(...works.slice(startOf(step), startOf(step + 1)).map((work) => work()))
  }
  await Promise.all(begun)
}
