/**
 * Tells one webhook what happens, from the logs: a cursor for each, one event of a log at a time, several logs at once. Whatever the receiver
 * does, chat goes on: all that a message costs here is a note that its log has grown.
 */
import type { Config } from '../../../schemas/config.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { WebhookRecord } from '../../store/outbox.js'
import type { Store } from '../../store/store.js'
import type { Counters } from '../../util/counters.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { attempt, type Outcome } from './attempt.js'
import { waitAfter } from './backoff.js'
import { DeadLetters } from './dead-letters.js'
import { EventFilter, eventOf, type OutgoingEvent } from './events.js'
import { LogCursor } from './log-cursor.js'
import type { Poster } from './poster.js'

/** Of a log, at a time; other logs have their turn in between. */
const PAGE_ENTRIES = 16
const PAGE_BYTES = 262_144

export interface WebhookWorkerParts {
  readonly store: Store
  readonly poster: Poster
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly options: Config['webhookDelivery']
  readonly failed: (error: unknown) => void
  /** For the log of the broker: `kind` is the line, `facts` its fields. */
  readonly note: (kind: string, webhook: string, facts: Record<string, unknown>) => void
  readonly random: () => number
  /** A log of which something was told. */
  readonly moved: (log: LogName) => void
  /** The receiver wants no more. */
  readonly gone: (webhook: string, why: string) => void
}

export class WebhookWorker implements Deadline {
  readonly letters: DeadLetters
  readonly #parts: WebhookWorkerParts
  #record: WebhookRecord
  #filter: EventFilter
  /** Those that sign now. */
  readonly #secrets: () => readonly string[]
  readonly #cursors = new Map<LogName, LogCursor>()
  /** In line to be told. */
  readonly #ready: LogCursor[] = []
  /** Tails that wait until they are due. */
  readonly #waiting = new Set<LogCursor>()
  /** When the first of them is due (Unix ms); 0: none. */
  #nextDue = 0
  #active = 0
  #idle: (() => void)[] = []
  #closed = false
  #retrying: Promise<void> = Promise.resolve()
  lastSuccess: number | null = null
  lastError: string | null = null

  constructor(parts: WebhookWorkerParts, record: WebhookRecord, secrets: () => readonly string[]) {
    this.#parts = parts
    this.#record = record
    this.#filter = new EventFilter(record)
    this.#secrets = secrets
    this.letters = new DeadLetters(parts.store, record.id, parts.options.deadLetters)
  }

  get record(): WebhookRecord {
    return this.#record
  }

  get behind(): number {
    let behind = 0
    for (const cursor of this.#cursors.values()) if (cursor.behind) behind++
    return behind
  }

  takesLog(log: LogName): boolean {
    return this.#filter.takesLog(log)
  }

  cursor(log: LogName): LogCursor | undefined {
    return this.#cursors.get(log)
  }

  /** Goes on in a log where it was. */
  begin(log: LogName, done: number, head: number): void {
    const cursor = new LogCursor(log, done, head)
    this.#cursors.set(log, cursor)
    this.#enqueue(cursor)
  }

  /** Has been told all of a log, and forgets it until it grows. */
  forget(log: LogName): void {
    const cursor = this.#cursors.get(log)
    if (cursor) this.#waiting.delete(cursor)
    this.#cursors.delete(log)
  }

  grown(log: LogName, first: number, last: number): void {
    const cursor = this.#cursors.get(log)
    // One that was dropped begins anew.
    if (!cursor || first <= cursor.head) return this.begin(log, first - 1, last)
    cursor.head = last
    this.#enqueue(cursor)
  }

  change(record: WebhookRecord): void {
    this.#record = record
    this.#filter = new EventFilter(record)
    for (const log of [...this.#cursors.keys()]) if (!this.takesLog(log)) this.forget(log)
    if (!record.enabled) return
    for (const cursor of this.#waiting) cursor.due = 0
    this.#waiting.clear()
    for (const cursor of this.#cursors.values()) this.#enqueue(cursor)
    this.#pump()
  }

  /** Tails whose time to be tried again has come; answers when the next one has (Unix ms), or 0. */
  due(now: number): number {
    let next = 0
    for (const cursor of this.#waiting) {
      if (cursor.due <= now) {
        this.#waiting.delete(cursor)
        cursor.due = 0
        this.#enqueue(cursor)
      } else if (next === 0 || cursor.due < next) next = cursor.due
    }
    this.#nextDue = next
    return next
  }

  /** Takes no more turns; resolves when what was under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#parts.wheel.delete(this)
    await this.#retrying
    while (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** One attempt, outside of the order. */
  post(id: string, body: Buffer): Promise<Outcome> {
    const { poster, options } = this.#parts
    return attempt(poster, { url: this.#record.url, secrets: this.#secrets(), id, body, timeout: options.timeout })
  }

  /** Tries dead letters again, one after another, behind those that are being tried. */
  retry(ids: readonly string[]): void {
    const work = async (): Promise<void> => {
      for (const id of ids) if (!this.#closed) await this.#retryLetter(id)
    }
    this.#retrying = this.#retrying.then(work).catch((error) => this.#parts.failed(error))
  }

  #enqueue(cursor: LogCursor): void {
    if (cursor.busy || cursor.due > 0 || !cursor.behind) return
    cursor.busy = true
    this.#ready.push(cursor)
    this.#pump()
  }

  #pump(): void {
    while (!this.#closed && this.#record.enabled && this.#active < this.#parts.options.concurrency) {
      const cursor = this.#ready.shift()
      if (!cursor) return
      this.#active++
      void this.#turn(cursor)
    }
  }

  async #turn(cursor: LogCursor): Promise<void> {
    try {
      await this.#tell(cursor)
    } catch (error) {
      this.#parts.failed(error)
      this.#wait(cursor, null)
    }
    this.#active--
    cursor.busy = false
    if (this.#cursors.get(cursor.log) === cursor) {
      this.#parts.moved(cursor.log)
      this.#enqueue(cursor)
    }
    this.#pump()
    if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** What comes next in a log, until something fails. */
  async #tell(cursor: LogCursor): Promise<void> {
    const { log } = this.#parts.store
    const { head, tail: first } = await log.open(cursor.log)
    if (cursor.done < first - 1) {
      this.#parts.counters.add('webhooks.lost.retention', first - 1 - cursor.done)
      cursor.done = first - 1
    }
    const entries = await log.read(cursor.log, cursor.done, PAGE_ENTRIES, PAGE_BYTES)
    for (const entry of entries) {
      if (!this.#mayTell(cursor)) return
      const event = eventOf(cursor.log, entry)
      if (event && this.#filter.takes(event) && !(await this.#tellOne(cursor, entry, event))) return
      cursor.done = entry.seq
    }
    // Nothing of what there was can be read any more.
    if (entries.length === 0) cursor.done = Math.max(cursor.done, head)
  }

  #mayTell(cursor: LogCursor): boolean {
    return !this.#closed && this.#record.enabled && this.#cursors.get(cursor.log) === cursor
  }

  /** True: on to the next one. */
  async #tellOne(cursor: LogCursor, entry: LogEntry, { id, type, body }: OutgoingEvent): Promise<boolean> {
    const outcome = await this.post(id, body)
    this.#note(outcome)
    if (outcome.kind === 'taken') {
      cursor.failures = 0
      return true
    }
    if (outcome.kind !== 'failed') return false
    const { attempts } = this.#parts.options
    if (++cursor.failures < attempts) {
      this.#wait(cursor, outcome.asked)
      return false
    }
    await this.#giveUp(cursor, entry.seq, id, type, outcome.error)
    return true
  }

  #note(outcome: Outcome): void {
    const { counters, gone } = this.#parts
    if (outcome.kind === 'ended') return
    if (outcome.kind === 'taken') {
      this.lastSuccess = Date.now()
      return counters.add('webhooks.delivered')
    }
    this.lastError = outcome.error
    counters.add('webhooks.failed')
    if (outcome.kind === 'gone') gone(this.#record.id, outcome.error)
  }

  #wait(cursor: LogCursor, asked: number | null): void {
    const { options, random, wheel } = this.#parts
    if (this.#closed) return
    cursor.due = Date.now() + waitAfter(Math.max(cursor.failures, 1), options, asked, random)
    this.#waiting.add(cursor)
    if (this.#nextDue !== 0 && this.#nextDue <= cursor.due) return
    this.#nextDue = cursor.due
    wheel.set(this, cursor.due)
  }

  /** The letter and the cursor beyond it are one commit: neither is the event lost, nor tried without end. */
  async #giveUp(cursor: LogCursor, seq: number, id: string, type: string, error: string): Promise<void> {
    const { store, counters, note } = this.#parts
    const webhook = this.#record.id
    const letter = { webhook, id, log: cursor.log, seq, type, at: Date.now(), attempts: cursor.failures, error }
    const dropped = await this.letters.add(letter, [store.outbox.cursorOp({ log: cursor.log, reader: webhook, seq })])
    cursor.failures = 0
    cursor.saved = seq
    counters.add('webhooks.dead')
    note('webhook: an event was given up', webhook, { webhook, event: id, type, attempts: letter.attempts, why: error })
    if (dropped > 0) counters.add('webhooks.lost.deadLetters', dropped)
  }

  async #retryLetter(id: string): Promise<void> {
    const letter = await this.letters.get(id)
    if (!letter) return
    const entry = await this.letters.entryOf(letter)
    const event = entry && eventOf(letter.log, entry)
    // Deleted or expired meanwhile: there is nothing left to tell.
    if (event?.id !== id) return this.letters.delete(id)
    const outcome = await this.post(id, event.body)
    this.#note(outcome)
    if (outcome.kind === 'taken') return this.letters.delete(id)
    if (outcome.kind === 'ended') return
    await this.letters.add({ ...letter, at: Date.now(), attempts: letter.attempts + 1, error: outcome.error })
  }
}
