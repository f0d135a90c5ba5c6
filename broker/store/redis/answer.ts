/** What the script answers to a group of changes (lua/commit.lua). */
import type { AppendResult, Draft, Enqueued } from '../changes.js'
import type { Receivers, SentChange } from './commit-words.js'
import { readRest } from './dedupe.js'
import { type Committed, readEvents } from './events.js'
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
  const events = readEvents([words.words(), words.words()])
  const commit = number > 0 ? { number, position, ...events } : null
  const outcomes: Outcome[] = []
  for (const list = words.words(); !list.done; )
    outcomes.push(list.text() === 'g' ? CONFLICT : readOutcome(list.words(), sent[outcomes.length]!))
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
