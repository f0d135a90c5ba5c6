/** What was acknowledged is in its log once, under the number that was told, whichever node one asks. */
import { type Acked, type Entry, groupBy, type History, ofType, type Read } from './events.js'

/** Each log, as the first node has it. */
export function logsOf(history: History): Map<string, readonly Entry[]> {
  return new Map(
    ofType(history, 'read')
      .reverse()
      .map(({ log, entries }) => [log, entries]),
  )
}

export function checkLogs(history: History): string[] {
  return [
    ...[...groupBy(ofType(history, 'read'), ({ log }) => log).values()].flatMap(differences),
    ...[...logsOf(history)].flatMap(([log, entries]) => [...disorder(log, entries), ...repetitions(log, entries)]),
    ...strangers(history),
    ...acknowledgements(history),
    ...refusals(history),
  ]
}

function differences([first, ...others]: readonly Read[]): string[] {
  const text = ({ entries }: Read): string => JSON.stringify(entries)
  return others
    .filter((other) => text(other) !== text(first!))
    .map(({ node, log }) => `log ${log} is not the same on ${node} as on ${first!.node}`)
}

function disorder(log: string, entries: readonly Entry[]): string[] {
  const at = entries.findIndex(({ seq }, i) => seq !== i + 1)
  return at < 0 ? [] : [`log ${log} has ${entries[at]!.seq} where ${at + 1} is next`]
}

function repetitions(log: string, entries: readonly Entry[]): string[] {
  const twice = (name: (entry: Entry) => string): string[] =>
    [...groupBy(entries, name)].flatMap(([key, { length }]) => (length > 1 ? [key] : []))
  return [...twice(({ id }) => id), ...twice(({ message }) => message)].map((name) => `log ${log} has ${name} twice`)
}

function strangers(history: History): string[] {
  const sent = new Map(ofType(history, 'sent').map(({ message, log }) => [message, log]))
  return [...logsOf(history)].flatMap(([log, entries]) =>
    entries.filter(({ message }) => sent.get(message) !== log).map(({ message }) => `nobody sent ${message} to ${log}`),
  )
}

function acknowledgements(history: History): string[] {
  const acked = groupBy(ofType(history, 'acked'), ({ message }) => message)
  const sent = groupBy(ofType(history, 'sent'), ({ message }) => message)
  const logs = logsOf(history)
  return [...acked].flatMap(([message, acks]) => {
    const transmissions = sent.get(message) ?? []
    const log = transmissions[0]?.log
    if (log === undefined) return [`${message} is acknowledged, and nobody sent it`]
    if (log === null) return []
    const stored = (logs.get(log) ?? []).find((entry) => entry.message === message)
    if (!stored) return [`${message} is acknowledged and not in ${log}`]
    const mayTellNothing = transmissions.length > 1 && transmissions[0]!.qos === 2
    const isRight = (ack: Acked): boolean => (ack.entry === null ? mayTellNothing : isThat(ack, stored))
    return acks.filter((ack) => !isRight(ack)).map(({ entry }) => wrongNumber(message, entry, stored))
  })
}

function isThat({ entry }: Acked, { seq, id }: Entry): boolean {
  return entry?.seq === seq && entry.id === id
}

function wrongNumber(message: string, told: Acked['entry'], stored: Entry): string {
  return `${message} is ${stored.seq} ${stored.id}, and was acknowledged as ${told?.seq} ${told?.id}`
}

/** `unavailable` says that nobody knows. */
function refusals(history: History): string[] {
  const stored = new Set([...logsOf(history).values()].flatMap((entries) => entries.map(({ message }) => message)))
  const acked = new Set(ofType(history, 'acked').map(({ message }) => message))
  const sent = groupBy(ofType(history, 'sent'), ({ message }) => message)
  // One that is sent again may be refused for what has changed meanwhile.
  const isFirst = (message: string): boolean => sent.get(message)?.length === 1
  return ofType(history, 'refused')
    .filter(({ message, code }) => code !== 'unavailable' && stored.has(message) && !acked.has(message))
    .filter(({ message }) => isFirst(message))
    .map(({ message, code }) => `${message} is refused as ${code} and stored`)
}
