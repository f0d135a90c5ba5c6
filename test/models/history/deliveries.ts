/** Each session got what it is owed: all of it, in order, as often as its QoS says, and nothing else. */
import {
  type Delivered,
  type Entry,
  type Following,
  groupBy,
  type History,
  ofType,
  type Placed,
  type Sent,
} from './events.js'
import { logsOf } from './logs.js'

export function checkDeliveries(history: History): string[] {
  const logs = logsOf(history)
  const arrived = groupBy(ofType(history, 'delivered'), ({ session, log }) => `${session} ${log}`)
  const sent = groupBy(ofType(history, 'sent'), ({ message }) => message)
  const plain = plainDue(history)
  return ofType(history, 'following').flatMap((following) => {
    const { session, log, after } = following
    const entries = logs.get(log ?? '') ?? []
    const deliveries = arrived.get(`${session} ${log}`) ?? []
    const owed = log === null ? plain : entries.filter(({ seq }) => seq > after).map(({ message }) => message)
    return [
      ...missing(following, deliveries, owed, sent),
      ...repeated(following, deliveries, sent),
      ...(log === null ? unsent(deliveries, sent) : [...unlogged(deliveries, entries), ...disordered(deliveries)]),
    ].map((what) => `${session} in ${log ?? 'plain topics'}: ${what}`)
  })
}

/** By message. */
type Transmissions = ReadonlyMap<string, readonly Placed<Sent>[]>

/** Plain topics have no log: what was acknowledged is what is owed. */
function plainDue(history: History): string[] {
  const plain = new Set(
    ofType(history, 'sent').flatMap(({ message, log, use }) => (log === null && !use ? [message] : [])),
  )
  return [...new Set(ofType(history, 'acked').map(({ message }) => message))].filter((message) => plain.has(message))
}

/** What is sent or delivered at QoS 0 may be lost. */
function missing(
  { persistent, qos }: Following,
  deliveries: readonly Delivered[],
  owed: readonly string[],
  sent: Transmissions,
): string[] {
  if (!persistent || qos === 0) return []
  const got = new Set(deliveries.map(({ message }) => message))
  return owed
    .filter((message) => !got.has(message) && sent.get(message)?.[0]?.qos !== 0)
    .map((message) => `${message} is missing`)
}

function repeated({ persistent }: Following, deliveries: readonly Delivered[], sent: Transmissions): string[] {
  return [...groupBy(deliveries, ({ message }) => message)].flatMap(([message, all]) => {
    const transmissions = sent.get(message) ?? []
    // Without a cid, what is sent again at QoS 1 is another message.
    const mayBeAnother = transmissions.length > 1 && transmissions.every(({ log, qos }) => log === null && qos === 1)
    // What a connection did not acknowledge comes again on a later one. So may what is sent at QoS 0 from a log or a queue: how far that was is stored once a second.
    const connections = new Set(all.map(({ connection }) => connection))
    const mayBeSentAgain = all.every(({ qos }) => qos < 2)
    const mayRepeat = persistent && mayBeSentAgain && connections.size === all.length
    return all.length === 1 || mayRepeat || mayBeAnother ? [] : [`${message} came ${all.length} times`]
  })
}

function unsent(deliveries: readonly Placed<Delivered>[], sent: Transmissions): string[] {
  return deliveries
    .filter(({ message, at }) => !sent.get(message)?.some((transmission) => transmission.at < at))
    .map(({ message }) => `${message} came, and nobody had sent it`)
}

function unlogged(deliveries: readonly Delivered[], entries: readonly Entry[]): string[] {
  const stored = new Set(entries.map(({ seq, id, message }) => `${seq} ${id} ${message}`))
  return deliveries
    .filter(({ message, entry }) => !stored.has(`${entry?.seq} ${entry?.id} ${message}`))
    .map(({ message, entry }) => `${message} came as ${entry?.seq} ${entry?.id}, and that is not stored`)
}

/** Where each came first. Between messages of different QoS the handshakes of the client decide [MQTT-4.6.0-6]. */
function disordered(deliveries: readonly Delivered[]): string[] {
  const firsts = [...groupBy(deliveries, ({ message }) => message).values()].map(([first]) => first!)
  return [...groupBy(firsts, ({ qos }) => String(qos)).values()].flatMap((level) =>
    level.flatMap(({ message, entry }, i) => {
      const before = level[i - 1]?.entry
      return before && before.seq > entry!.seq ? [`${message} (${entry!.seq}) came behind ${before.seq}`] : []
    }),
  )
}
