/**
 * Threads: the notes by which replies are found and counted without reading them. Each reply writes three: one about the message that began
 * the thread, named by the reply; one that says that this message has replies; and one about the reply, which lists the threads of a room
 * by their last reply. None is decided on, so replies do not wait for each other.
 */
import type { Draft } from '../../store/changes.js'
import type { LogName } from '../../store/log-name.js'
import type { Gone, LogEntry } from '../../store/logs.js'
import { type Note, type NoteReader, type NoteWrite, noteName, seqOfName } from '../../store/notes.js'
import type { Store } from '../../store/store.js'

/** Upper bound of the count of replies. */
const MAX_COUNT = 100
/** Authors that a summary names. */
const MAX_USERS = 3
/** Replies that are looked at for them. */
const MAX_LOOKED_AT = 10
/** Notes of one thread that are read for its summary, and how many at once. */
const MAX_SCANNED = 1000
const PAGE = MAX_COUNT
/** Summaries made at the same time, so that a page of many threads does not delay what others read. */
const AT_ONCE = 16
/** Value of the note of a deleted reply. */
const DELETED = '-'

/** Of a reply. Replies with a lifetime are not named, because what they leave behind must not say who wrote them. */
interface ReplyFacts {
  /** Unix ms. */
  readonly ts: number
  readonly from?: string
  /** Unix ms at which it expires. */
  readonly until?: number
}

/** What the message that began a thread shows of its replies. */
export interface Replies {
  /** Without deleted and expired ones; 100 stands for 100 or more. */
  readonly count: number
  readonly lastSeq: number
  /** Unix ms. */
  readonly lastTs: number
  /** The last authors, at most three, the last one first. */
  readonly users: readonly string[]
}

/** The notes of a new reply. */
export function replyNotes(thread: number, { ts, from, extra }: Pick<Draft, 'ts' | 'from' | 'extra'>): NoteWrite[] {
  const until = extra?.expiresAt ?? 0
  const facts: ReplyFacts = until === 0 ? { ts, from } : { ts, until }
  return [
    { kind: 'reply', target: thread, name: null, value: JSON.stringify(facts) },
    { kind: 'thread', target: thread, name: '', value: '1' },
    { kind: 'inThread', target: null, name: '', value: String(thread) },
  ]
}

/** The changes to notes when a reply is deleted. It stays in its thread as deleted. */
export function deletedReplyNotes(thread: number, seq: number): NoteWrite[] {
  return [
    { kind: 'reply', target: thread, name: noteName(seq), value: DELETED },
    { kind: 'inThread', target: seq, name: '', value: null },
  ]
}

/** Also of what is left of a reply that was deleted. */
export function isInThread({ payload, gone }: LogEntry): boolean {
  return (gone ? threadOfGone(gone) : threadOf(payload)) !== undefined
}

export function threadOfGone(gone: Gone): number | undefined {
  return gone.why === 'expired' ? undefined : gone.thread
}

/** The message that began the thread in which this one is; undefined: it is in none. */
export function threadOf(payload: Buffer): number | undefined {
  return payload.includes('"thread":') ? JSON.parse(payload.toString('utf8')).thread : undefined
}

/** Seqs of the newest replies in a thread, from `first` to `last`; newest first. */
export async function repliesBefore(
  notes: NoteReader,
  log: LogName,
  thread: number,
  range: readonly [number, number],
  limit: number,
): Promise<number[]> {
  return (await replyNotesBefore(notes, log, thread, range, limit)).map(({ name }) => seqOfName(name))
}

function replyNotesBefore(
  notes: NoteReader,
  log: LogName,
  thread: number,
  [first, last]: readonly [number, number],
  limit: number,
): Promise<Note[]> {
  const names = { gte: noteName(first), lt: noteName(last + 1) }
  return notes.list(log, { kind: 'reply', targets: [thread, thread], names, limit, reverse: true })
}

export class ThreadSummaries {
  readonly #store: Pick<Store, 'log' | 'notes'>
  readonly #log: LogName

  constructor(store: Pick<Store, 'log' | 'notes'>, log: LogName) {
    this.#store = store
    this.#log = log
  }

  /** In the order of the messages; null: it has no replies. */
  async ofMany(seqs: readonly number[]): Promise<(Replies | null)[]> {
    const began = await this.#store.notes.getMany(this.#log, 'thread', seqs)
    const summaries: (Replies | null)[] = []
    for (let from = 0; from < seqs.length; from += AT_ONCE) {
      const some = seqs.slice(from, from + AT_ONCE)
      summaries.push(...(await Promise.all(some.map((seq, i) => (began[from + i] ? this.of(seq) : null)))))
    }
    return summaries
  }

  async of(thread: number): Promise<Replies | null> {
    const { head } = await this.#store.log.open(this.#log)
    const newest: Note[] = []
    let count = 0
    for (let scanned = 0, before = head + 1; scanned < MAX_SCANNED && count < MAX_COUNT; ) {
      const page = await replyNotesBefore(this.#store.notes, this.#log, thread, [1, before - 1], PAGE)
      const present = page.filter(isPresent)
      count += present.length
      newest.push(...present.slice(0, MAX_LOOKED_AT - newest.length))
      scanned += page.length
      if (page.length < PAGE) break
      before = seqOfName(page.at(-1)!.name)
    }
    return newest.length === 0 ? null : this.#summary(Math.min(count, MAX_COUNT), newest)
  }

  async #summary(count: number, newest: readonly Note[]): Promise<Replies> {
    const users = new Set<string>()
    for (const note of newest) {
      if (users.size === MAX_USERS) break
      const from = factsOf(note)?.from ?? (await this.#entry(note))?.from
      if (from) users.add(from)
    }
    const last = newest[0]!
    const ts = factsOf(last)?.ts ?? (await this.#entry(last))?.ts ?? 0
    return { count, lastSeq: seqOfName(last.name), lastTs: ts, users: [...users] }
  }

  /** Notes of earlier versions have no facts. */
  async #entry({ name }: Note): Promise<LogEntry | undefined> {
    const seq = seqOfName(name)
    const [entry] = await this.#store.log.read(this.#log, seq - 1, 1, 1)
    return entry?.seq === seq ? entry : undefined
  }
}

function isPresent(note: Note): boolean {
  if (note.value === DELETED) return false
  // Nearly all replies have no lifetime: their notes need not be parsed to be counted.
  return !note.value.includes('"until":') || factsOf(note)!.until! > Date.now()
}

function factsOf({ value }: Note): ReplyFacts | null {
  return value === '' || value === DELETED ? null : (JSON.parse(value) as ReplyFacts)
}
