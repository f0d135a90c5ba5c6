/**
 * A webhook is told of everything in its logs, in order. What it has taken it is told again only after a node has failed, and only the last of it; and one
 * node at a time tells it (docs/webhooks.md).
 */
import { type Entry, eventsOf, groupBy, type History, ofType, type Placed, type Posted } from './events.js'
import { logsOf } from './logs.js'

/** Ms before a node failed, of which what was told may be told again: three times the promise. */
const UNSAVED = 6000
/** Ms: less than a node may be silent before others take a webhook from it. */
const LEASE = 3000

type Post = Placed<Posted> & {
  /** The place of the answer that took it, and its ms. Infinity: there is none. */
  readonly taken: number
  readonly takenMs: number
}

export function checkWebhooks(history: History): string[] {
  const posts = groupBy(postsOf(history), ({ webhook, log }) => `${webhook} ${log}`)
  const entries = toldIn(history)
  const failures = [...ofType(history, 'killed'), ...ofType(history, 'isolated')].map(({ at }) => at)
  return ofType(history, 'webhook').flatMap(({ webhook, logs }) =>
    logs.flatMap((log) => {
      const told = posts.get(`${webhook} ${log}`) ?? []
      return [
        ...untold(told, entries.get(log) ?? []),
        ...unknown(told, entries.get(log) ?? []),
        ...hasty(told),
        ...repeated(told, failures),
        ...meddling(told),
      ].map((what) => `${webhook}, of ${log}: ${what}`)
    }),
  )
}

function postsOf(history: History): Post[] {
  const taken = ofType(history, 'answered').filter(({ status }) => status >= 200 && status < 300)
  const answers = new Map(taken.map((answer) => [answer.request, answer]))
  return ofType(history, 'posted').map((post) => {
    const { at = Number.POSITIVE_INFINITY, ms = Number.POSITIVE_INFINITY } = answers.get(post.request) ?? {}
    return { ...post, taken: at, takenMs: ms }
  })
}

/** What the logs have, as far as it is known: of the events of a room from some number on. */
function toldIn(history: History): Map<string, readonly Entry[]> {
  const events = ofType(history, 'room event').map(({ room, seq, id, kind, user }) => ({
    log: eventsOf(room),
    entry: { seq, id, message: `${kind} ${user ?? ''}` },
  }))
  const bySeq = ([log, all]: [string, typeof events]): [string, Entry[]] => [
    log,
    all.map(({ entry }) => entry).sort((a, b) => a.seq - b.seq),
  ]
  return new Map([...logsOf(history), ...[...groupBy(events, ({ log }) => log)].map(bySeq)])
}

function untold(posts: readonly Post[], entries: readonly Entry[]): string[] {
  const taken = new Set(
    posts.flatMap(({ entry: { seq, id }, taken }) => (Number.isFinite(taken) ? [String(seq), `${seq} ${id}`] : [])),
  )
  const known = new Map(entries.map((entry) => [entry.seq, entry]))
  const head = entries.at(-1)?.seq ?? 0
  return Array.from({ length: head }, (_, i) => i + 1)
    .filter((seq) => !taken.has(known.has(seq) ? `${seq} ${known.get(seq)!.id}` : String(seq)))
    .map((seq) => `${known.get(seq)?.message ?? 'something'} (${seq}) is untold`)
}

function unknown(posts: readonly Post[], entries: readonly Entry[]): string[] {
  const stored = new Set(entries.map(({ seq, id, message }) => `${seq} ${id} ${message}`))
  const from = entries[0]?.seq ?? Number.POSITIVE_INFINITY
  return posts
    .filter(({ entry: { seq, id }, message }) => seq >= from && !stored.has(`${seq} ${id} ${message}`))
    .map(({ entry: { seq, id }, message }) => `${message} was told as ${seq} ${id}, and that is not stored`)
}

/** The answer that took each number first. */
function firstTaken(posts: readonly Post[]): Map<number, Post> {
  const earliest = posts.filter(({ taken }) => Number.isFinite(taken)).sort((a, b) => b.taken - a.taken)
  return new Map(earliest.map((post) => [post.entry.seq, post]))
}

/** Each is told when the one before it is taken, and not earlier. */
function hasty(posts: readonly Post[]): string[] {
  const taken = firstTaken(posts)
  const firsts = [...groupBy(posts, ({ entry }) => String(entry.seq)).values()].map(([first]) => first!)
  return firsts
    .filter(({ entry: { seq }, at }) => seq > 1 && !(taken.get(seq - 1) && taken.get(seq - 1)!.taken < at))
    .map(({ entry: { seq }, message }) => `${message} (${seq}) was told before ${seq - 1} was taken`)
}

/** @param failures When nodes failed: places in the history */
function repeated(posts: readonly Post[], failures: readonly number[]): string[] {
  const taken = firstTaken(posts)
  const inTurn = [...taken.values()].sort((a, b) => a.taken - b.taken)
  let count = 0
  return posts.flatMap(({ entry: { seq }, at, message }) => {
    while (inTurn[count] && inTurn[count]!.taken < at) count++
    const first = taken.get(seq)
    if (!first || first.taken > at) return []
    const again = `${message} (${seq}) was told again`
    if (!failures.some((failed) => failed < at)) return [`${again}, and no node had failed`]
    const ms = inTurn[count - 1]!.takenMs - first.takenMs
    return ms > UNSAVED ? [`${again}, with all of ${Math.round(ms)} ms after it`] : []
  })
}

interface Going {
  readonly seq: number
  readonly ms: number
  /** What others told meanwhile: numbers by process. */
  readonly others: Map<string, Set<number>>
}

/** While a process goes on from number to number another one, which was asleep or cut off, tells one of them at most. */
function meddling(posts: readonly Post[]): string[] {
  const going = new Map<string, Going>()
  return posts.flatMap(({ by, entry: { seq }, ms }) => {
    if (by === null) return []
    const mine = going.get(by)
    const goesOn = mine && (seq === mine.seq || seq === mine.seq + 1) && ms - mine.ms < LEASE
    const wrong = goesOn ? [...mine.others].filter(([, told]) => told.size > 1) : []
    going.set(by, { seq, ms, others: goesOn && wrong.length === 0 ? mine.others : new Map() })
    for (const [process, { others }] of going)
      if (process !== by) others.set(by, (others.get(by) ?? new Set()).add(seq))
    return wrong.map(([other, told]) => `${other} told ${[...told].join(' ')} while ${by} told ${seq}`)
  })
}
