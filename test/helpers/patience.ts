/** Waiting for what a broker owes, without a clock that a busy machine could outrun. */

/** Milliseconds. */
const LOOK_EVERY = 50

/**
 * Resolves as `event` does. After `looks` looks at the clock without it, it counts as lost. Many short waits, so that a busy machine,
 * where the broker has little of each, is not mistaken for a broker that is silent. `more`: ms that pass in any case.
 */
export async function inTime<T>(event: Promise<T>, looks: number, lost: () => Error, more = 0): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    let looked = 0
    timer = setInterval(() => {
      if (++looked > looks + more / LOOK_EVERY) reject(lost())
    }, LOOK_EVERY)
  })
  return Promise.race([event, silence]).finally(() => clearInterval(timer))
}
