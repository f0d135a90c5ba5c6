/** What the script answers to a group of changes (lua/commit.lua). */
import { numbered } from '../body.js'
import type { AppendResult, Draft, Enqueued } from '../changes.js'
import type { LogName } from '../log-name.js'
import type { LogEntry } from '../logs.js'
import type { Receivers, SentChange } from './commit-words.js'
import { readRest } from './dedupe.js'
import { type Committed, type LogEvent, readEvents } from './events.js'
import { WordReader } from './words.js'

export interface Answer {
  /** Null: nothing was written. */
  readonly commit: Committed | null
  /** The last commit there was, of whichever node. */
  readonly last: number
  readonly position: number
  /** Commands that wrote something. */
  readonly writes: number
  /** False: the changes beyond the outcomes were not looked at. */
  readonly complete: boolean
  /** Of the changes from the first on. */
  readonly outcomes: readonly Outcome[]
}

export interface Outcome {
  /** Null: a guard failed. */
  readonly results: readonly AppendResult[] | null
  readonly enqueued: readonly Enqueued[]
  /** Messages that were not queued for a session because its queue was full. */
  readonly dropped: number
  /** Positions of the cuts. */
  readonly cuts: readonly number[]
}

const CONFLICT: Outcome = { results: null, enqueued: [], dropped: 0, cuts: [] }

export function readAnswer(reply: Buffer, sent: readonly SentChange[]): Answer {
  const words = new WordReader(reply)
  const [number, last, position, writes] = [words.number(), words.number(), words.number(), words.number()]
  const complete = words.text() === '1'
  const told = readEvents([words.words(), words.words()])
  const outcomes: Outcome[] = []
  for (const list = words.words(); !list.done; )
    outcomes.push(list.text() === 'g' ? CONFLICT : readOutcome(list.words(), sent[outcomes.length]!))
  const events = withEntries(told.events, sent, outcomes)
  const commit = number > 0 ? { number, position, ...told, events } : null
  return { commit, last, position, writes, complete, outcomes }
}

function readOutcome(words: WordReader, { change, receivers }: SentChange): Outcome {
  const results = change.drafts.map((draft) => readResult(words.bytes(), draft))
  const enqueued: Enqueued[] = []
  const cuts: number[] = []
  let dropped = 0
  while (!words.done) {
    const word = words.text()
    if (word[0] === 'c') cuts.push(Number(word.slice(1)))
    else {
      const [number, full, indices] = splitQueued(word)
      enqueued.push({ number, sessions: sessionsAt(receivers[enqueued.length]!, indices) })
      dropped += full
    }
  }
  return { results, enqueued, dropped, cuts }
}

function readResult(word: Buffer, { id, ts }: Draft): AppendResult {
  switch (String.fromCharCode(word[0]!)) {
    case 'a':
      return { outcome: 'appended', id, seq: Number(word.toString('latin1', 1)), ts }
    case 'n':
      return { outcome: 'absent', id: '', seq: 0, ts: 0 }
    default: {
      const end = word.indexOf(0x20)
      const seq = Number(word.toString('latin1', 1, end))
      const outcome = word[0] === 0x75 ? 'duplicate' : 'conflict'
      return { outcome, ...readRest(word.subarray(end + 1)), seq }
    }
  }
}

function splitQueued(word: string): [number: number, full: number, indices: string[]] {
  const [number, full, ...indices] = word.slice(1).split(' ')
  return [Number(number), Number(full), indices.filter((index) => index !== '')]
}

function sessionsAt({ sessions }: Receivers, indices: readonly string[]): readonly string[] {
  return indices.length === sessions.length ? sessions : indices.map((index) => sessions[Number(index)]!)
}

/** What was appended comes without the entries: they are those of the drafts. */
function withEntries(
  events: readonly LogEvent[],
  sent: readonly SentChange[],
  outcomes: readonly Outcome[],
): readonly LogEvent[] {
  if (!events.some(({ type }) => type === 'appended')) return events
  const appended = new Map<LogName, LogEntry[]>()
  for (const [i, { results }] of outcomes.entries())
    results?.forEach(({ outcome, seq }, j) => {
      if (outcome !== 'appended') return
      const draft = sent[i]!.change.drafts[j]!
      const entries = appended.get(draft.log)
      if (entries) entries.push(entryOf(draft, seq))
      else appended.set(draft.log, [entryOf(draft, seq)])
    })
  return events.map((event) => {
    if (event.type !== 'appended') return event
    const entries = appended.get(event.log)!
    return { ...event, entries: () => entries, count: entries.length, own: true }
  })
}

function entryOf({ ts, from, origin = '', qos, extra = null, body, isChange }: Draft, seq: number): LogEntry {
  const entry = { seq, ts, qos, from, origin, payload: numbered(body, seq), extra }
  return isChange ? { ...entry, isChange } : entry
}
