/**
 * A run in which Redis may lose what it had acknowledged: a server took over that had not received it. All nodes have to notice and say so; and what is
 * acknowledged from then on counts as ever.
 */
import { checkConnections } from './connections.js'
import { checkDeliveries } from './deliveries.js'
import { type Event, type History, ofType } from './events.js'
import { checkLogs, logsOf } from './logs.js'

export function checkLoss(history: History): string[] {
  const lost = lostOf(history)
  const kept = history.filter((event) => !lost.has(messageOf(event)) && isOfLogs(event))
  return [
    ...announced(history, lost),
    ...afterwards(history, lost),
    ...[checkLogs, checkDeliveries, checkConnections].flatMap((check) => check(kept)),
  ]
}

/** Messages of logs that somebody was told of under a number and an id which they do not have now. */
function lostOf(history: History): Set<string> {
  const stored = new Set(
    [...logsOf(history).values()].flatMap((entries) =>
      entries.map(({ message, id, seq }) => `${message} ${id} ${seq}`),
    ),
  )
  const told = [...ofType(history, 'acked'), ...ofType(history, 'delivered')]
  return new Set(
    told.flatMap(({ message, entry }) =>
      entry && !stored.has(`${message} ${entry.id} ${entry.seq}`) ? [message] : [],
    ),
  )
}

/** What of plain topics is lost cannot be seen, as it is in no log. */
function isOfLogs(event: Event): boolean {
  return !('log' in event) || event.log !== null
}

function messageOf(event: Event): string {
  return 'message' in event ? event.message : ''
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
function afterwards(history: History, lost: ReadonlySet<string>): string[] {
  const restored = ofType(history, 'restored').at(-1)?.at ?? history.length
  const told = [...ofType(history, 'acked'), ...ofType(history, 'delivered')]
  const stored = logsOf(history)
  return told.flatMap(({ type, message, entry, at }) => {
    if (at < restored || !entry || !lost.has(message)) return []
    const isRight = [...stored.values()].some((entries) =>
      entries.some(({ id, seq }) => id === entry.id && seq === entry.seq),
    )
    return isRight ? [] : [`${message} was ${type} after all was restored, and is lost`]
  })
}
