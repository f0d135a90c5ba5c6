/** Locks as tabs of one browser share them, for several clients in one process. */
import type { Lock } from '../../client/store/lock.js'

export function tabLocks(): Lock {
  /** Who holds or awaits a lock, in order. */
  const queues = new Map<string, Promise<void>[]>()
  return async (name, options, act) => {
    const queue = queues.get(name) ?? []
    queues.set(name, queue)
    if ('ifAvailable' in options && queue.length > 0) return act(null)
    const before = queue.at(-1)
    const turn = (async () => {
      await before
      if (!('signal' in options && options.signal.aborted)) await act({})
    })()
    const over = turn.catch(() => {})
    queue.push(over)
    await turn.finally(() => queue.splice(queue.indexOf(over), 1))
  }
}
