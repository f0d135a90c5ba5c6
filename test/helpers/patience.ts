/** Waits for events with a time limit that does not depend on the speed of the machine. */

/** Milliseconds. */
const LOOK_EVERY = 50

/** Milliseconds until it is looked again for the first time; then each time twice as many, up to LOOK_EVERY. Most is there soon. */
const LOOK_AGAIN = 10

/** Ticks of the clock. */
const MOST_LOOKS = 1200

/** Asked at each tick of the clock whether waiting is in vain. */
export type GiveUp = () => boolean

const never: GiveUp = () => false

/**
 * Resolves as `event` does. After `looks` ticks of the clock without it, it counts as lost. The limit is many short timers, so that on a
 * busy machine, where the broker gets little time, they slow down as the broker does. `more`: ms to wait in any case.
 */
export async function inTime<T>(
  event: Promise<T>,
  looks: number,
  lost: () => Error,
  more = 0,
  giveUp: GiveUp = never,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    let looked = 0
    timer = setInterval(() => {
      if (++looked > looks + more / LOOK_EVERY || giveUp()) reject(lost())
    }, LOOK_EVERY)
  })
  return Promise.race([event, silence]).finally(() => clearInterval(timer))
}

/** Nothing tells of it, so it is asked for again and again. */
export async function until(what: string, holds: () => Promise<boolean>, giveUp: GiveUp = never): Promise<void> {
  let isOver = false
  const asking = async (): Promise<void> => {
    for (let wait = LOOK_AGAIN; !isOver && !(await holds()); wait = Math.min(2 * wait, LOOK_EVERY))
      await new Promise((resolve) => setTimeout(resolve, wait))
  }
  await answered(what, asking(), giveUp).finally(() => (isOver = true))
}

/** Resolves as `answer` does. @throws Error that says what did not come in time */
export function answered<T>(what: string, answer: Promise<T>, giveUp: GiveUp = never): Promise<T> {
  return inTime(answer, MOST_LOOKS, () => new Error(`not in time: ${what}`), 0, giveUp)
}
