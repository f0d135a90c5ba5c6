/**
 * A run in which Redis may lose what it had acknowledged: a server took over that had not received it. All nodes have to notice and say so; and what is
 * acknowledged from then on counts as ever.
 */
import { checkConnections } from './connections.js'
import { checkDeliveries } from './deliveries.js'
import { type Event, type History, ofType } from './events.js'
import { checkLogs, logsOf } from './logs.js'

export function checkLoss(history: History): string[] {
  return judge(history, ['acked', 'delivered'])
}

/** The same, where nothing that is acknowledged is lost (`store.redis.acks: replicated`): it may have been delivered before. */
export function checkReplicated(history: History): string[] {
  return judge(history, ['delivered'])
}

type Told = 'acked' | 'delivered'

/** @param mayBeLost What somebody was told in such events */
function judge(history: History, mayBeLost: readonly Told[]): string[] {
  const lost = lostOf(history, mayBeLost)
  const kept = withoutLost(history, lost, mayBeLost)
  // What clients remember of numbers is void: what is still there may come again, and in another place.
  const missing = checkDeliveries(kept).filter((what) => what.endsWith(' is missing'))
  return [
    ...announced(history, lost),
    ...afterwards(history, lost, mayBeLost),
    ...missing,
    ...[checkLogs, checkConnections].flatMap((check) => check(kept)),
  ]
}

/** Without what was told of lost messages, and of plain topics: what of these is lost cannot be seen, as it is in no log. */
function withoutLost(history: History, lost: ReadonlySet<string>, mayBeLost: readonly Told[]): History {
  const plain = new Set(ofType(history, 'sent').flatMap(({ message, log }) => (log === null ? [message] : [])))
  const isKept = (event: Event): boolean => {
    if ('log' in event && event.log === null) return false
    const isTold = event.type === 'acked' || event.type === 'delivered' || event.type === 'overheard'
    if (!isTold) return true
    const counts = event.type === 'acked' && !mayBeLost.includes('acked')
    return !plain.has(event.message) && (counts || !lost.has(event.message))
  }
  return history.filter(isKept)
}

/** Messages of logs that somebody was told of under a number and an id which they do not have now. */
function lostOf(history: History, mayBeLost: readonly Told[]): Set<string> {
  const stored = new Set(
    [...logsOf(history).values()].flatMap((entries) =>
      entries.map(({ message, id, seq }) => `${message} ${id} ${seq}`),
    ),
  )
  const told = mayBeLost.flatMap((type) => ofType(history, type))
  return new Set(
    told.flatMap(({ message, entry }) =>
      entry && !stored.has(`${message} ${entry.id} ${entry.seq}`) ? [message] : [],
    ),
  )
}

function announced(history: History, lost: ReadonlySet<string>): string[] {
  const [before, ...after] = ofType(history, 'epoch')
  const isNew = after.every(({ epoch }) => epoch !== before!.epoch)
  const isLogged = ofType(history, 'complaint').some(({ text }) => text.includes('Redis has lost'))
  return [
    ...(new Set(after.map(({ epoch }) => epoch)).size > 1 ? ['the nodes have different epochs at the end'] : []),
    ...(lost.size > 0 && !isNew ? [`${lost.size} messages are lost, and the epoch is the same`] : []),
    ...(lost.size > 0 && !isLogged ? [`${lost.size} messages are lost, and no node says so`] : []),
  ]
}

/** What was told after all was well again. */
function afterwards(history: History, lost: ReadonlySet<string>, mayBeLost: readonly Told[]): string[] {
  const restored = ofType(history, 'restored').at(-1)?.at ?? history.length
  const told = mayBeLost.flatMap((type) => ofType(history, type))
  const stored = logsOf(history)
  return told.flatMap(({ type, message, entry, at }) => {
    if (at < restored || !entry || !lost.has(message)) return []
    const isRight = [...stored.values()].some((entries) =>
      entries.some(({ id, seq }) => id === entry.id && seq === entry.seq),
    )
    return isRight ? [] : [`${message} was ${type} after all was restored, and is lost`]
  })
}
