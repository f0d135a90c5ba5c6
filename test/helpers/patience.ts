/** Waits for events with a time limit that does not depend on the speed of the machine. */

/** Milliseconds. */
const LOOK_EVERY = 50

/**
 * Resolves as `event` does. After `looks` ticks of the clock without it, it counts as lost. The limit is many short timers, so that on a
 * busy machine, where the broker gets little time, they slow down as the broker does. `more`: ms to wait in any case.
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

/** Nothing tells of it, so it is asked for again and again. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  let isOver = false
  const asking = async (): Promise<void> => {
    while (!isOver && !(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await inTime(asking(), 1200, () => new Error(`not in time: ${what}`)).finally(() => (isOver = true))
}
