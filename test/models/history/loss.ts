/**
 * A run in which Redis may lose what it had acknowledged: a server took over that had not received it. All nodes have to notice and say so; and what is
 * acknowledged from then on counts as ever.
 */
import { checkConnections } from './connections.js'
import { checkDeliveries } from './deliveries.js'
import { type Acked, type History, ofType } from './events.js'
import { checkLogs, logsOf } from './logs.js'
import { checkWebhooks } from './webhooks.js'

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
  const untold = checkWebhooks(withoutEvents(kept)).filter((what) => what.endsWith(' is untold'))
  return [
    ...announced(history, lost),
    ...afterwards(history, mayBeLost),
    ...missing,
    ...untold,
    ...[checkLogs, checkConnections].flatMap((check) => check(kept)),
  ]
}

/** Without what was told under ids that are lost, and of plain topics: what of these is lost cannot be seen, as it is in no log. */
function withoutLost(history: History, lost: ReadonlySet<string>, mayBeLost: readonly Told[]): History {
  const plain = new Set(ofType(history, 'sent').flatMap(({ message, log }) => (log === null ? [message] : [])))
  const stored = storedIn(history)
  return history.filter((event) => {
    if ('log' in event && event.log === null) return false
    if (event.type === 'overheard') return !lost.has(event.message) && !plain.has(event.message)
    if (event.type !== 'acked' && event.type !== 'delivered') return true
    return !plain.has(event.message) && (!mayBeLost.includes(event.type) || isIn(stored, event))
  })
}

/** Which events of rooms are still there, nobody reads at the end. */
function withoutEvents(history: History): History {
  return history.filter(({ type }) => type !== 'room event')
}

/** What the logs have at the end. */
function storedIn(history: History): ReadonlySet<string> {
  return new Set(
    [...logsOf(history).values()].flatMap((all) => all.map(({ message, id, seq }) => `${message} ${id} ${seq}`)),
  )
}

function isIn(stored: ReadonlySet<string>, { message, entry }: Pick<Acked, 'message' | 'entry'>): boolean {
  return entry === null || stored.has(`${message} ${entry.id} ${entry.seq}`)
}

/** Messages of logs that somebody was told of under a number and an id which they do not have now. */
function lostOf(history: History, mayBeLost: readonly Told[]): Set<string> {
  const stored = storedIn(history)
  const told = mayBeLost.flatMap((type) => ofType(history, type))
  return new Set(told.filter((event) => !isIn(stored, event)).map(({ message }) => message))
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
function afterwards(history: History, mayBeLost: readonly Told[]): string[] {
  const restored = ofType(history, 'restored').at(-1)?.at ?? history.length
  const stored = storedIn(history)
  const told = mayBeLost.flatMap((type) => ofType(history, type))
  return told
    .filter((event) => event.at > restored && !isIn(stored, event))
    .map(({ type, message }) => `${message} was ${type} after all was restored, and is lost`)
}
