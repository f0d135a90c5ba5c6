/** Nobody is said to be offline who is not, and whoever went is said so once. */
import { groupBy, type History, ofType, type Placed, type Presence } from './events.js'

/** For so many ms after a CONNACK what was said before it may still be under way. */
const UNDER_WAY = 1000

interface Span {
  /** Ms. */
  readonly since: number
  /** Places in the history: until when it counts, and when it ends. */
  readonly to: number
  readonly end: number
}

export function checkPresence(history: History): string[] {
  const spans = connectionsOf(history)
  return [...groupBy(ofType(history, 'presence'), ({ watcher, user }) => `${watcher} ${user}`).values()].flatMap(
    (told) => {
      const { watcher, user } = told[0]!
      return judge(told, spans.get(user) ?? [], history.length).map(
        (what) => `${watcher} was told that ${user} ${what}`,
      )
    },
  )
}

function judge(told: readonly Placed<Presence>[], spans: readonly Span[], end: number): string[] {
  const isOffline = ({ state }: Presence): boolean => state === 'offline'
  const between = told
    .filter(isOffline)
    .filter(({ at, ms }) => spans.some(({ since, to }) => since + UNDER_WAY < ms && at < to))
  const last = Math.max(...spans.map((span) => span.end))
  // Who watches anew is told again.
  const changes = told.filter(({ state }, i) => state !== told[i - 1]?.state)
  const after = changes.filter(({ at, state }) => at > last && state === 'offline').length
  return [
    ...between.map(() => 'is offline, with a connection'),
    ...(last < end && after !== 1 ? [`is offline ${after} times after the last connection`] : []),
    ...(last === end && isOffline(told.at(-1)!) ? ['is offline, and nothing else at the end'] : []),
  ]
}

function connectionsOf(history: History): Map<string, Span[]> {
  const ends = new Map(ofType(history, 'disconnected').map(({ connection, at }) => [connection, at]))
  const isolated = ofType(history, 'isolated')
  const spans = new Map<string, Span[]>()
  for (const { user, connection, ms, at, node } of ofType(history, 'connected')) {
    const end = ends.get(connection) ?? history.length
    const cut = isolated.find((each) => each.node === node && each.at > at && each.at < end)
    spans.set(user, [...(spans.get(user) ?? []), { since: ms, to: cut?.at ?? end, end }])
  }
  return spans
}
