/**
 * Delivers events to one webhook: a cursor per log, one event of a log at a time, several logs at once. Independent of
 * message delivery: all it costs a message is a note that its log has grown.
 */

import type { Config } from '../../../schemas/config.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { WebhookRecord } from '../../store/outbox.js'
import { readerCursorOp } from '../../store/reader-cursors.js'
import type { Store } from '../../store/store.js'
import type { Counters } from '../../util/counters.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import type { OutboxReader } from '../registry.js'
import { attempt, type Outcome } from './attempt.js'
import { waitAfter } from './backoff.js'
import { DeadLetters } from './dead-letters.js'
import { EventFilter, eventOf, type OutgoingEvent } from './events.js'
import { LogCursor } from './log-cursor.js'
import type { Poster } from './poster.js'

/** Entries, and bytes, read of a log before other logs have their turn. */
const PAGE_ENTRIES = 16
const PAGE_BYTES = 262_144

export interface WebhookWorkerDeps {
  readonly store: Store
  readonly poster: Poster
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly options: Config['webhookDelivery']
  readonly failed: (error: unknown) => void
  /** Writes to the broker's log: `kind` is the message, `facts` its fields. */
  readonly note: (kind: string, webhook: string, facts: Record<string, unknown>) => void
  readonly random: () => number
  /** Called when a log's cursor has advanced. */
  readonly advanced: (log: LogName) => void
  /** Called when the receiver answered 410 and wants no more. */
  readonly gone: (webhook: string, why: string) => void
}

export class WebhookWorker implements OutboxReader, Deadline {
  readonly positions = 'outbox'
  readonly letters: DeadLetters
  readonly #deps: WebhookWorkerDeps
  #record: WebhookRecord
  #filter: EventFilter
  /** The current signing secrets. */
  readonly #secrets: () => readonly string[]
  readonly #cursors = new Map<LogName, LogCursor>()
  /** Cursors queued for delivery. */
  readonly #ready: LogCursor[] = []
  /** Cursors that wait for a retry. */
  readonly #waiting = new Set<LogCursor>()
  /** Unix ms of the first retry; 0: none. */
  #nextDue = 0
  #active = 0
  #idle: (() => void)[] = []
  #closed = false
  #retrying: Promise<void> = Promise.resolve()
  lastSuccess: number | null = null
  lastError: string | null = null

  constructor(deps: WebhookWorkerDeps, record: WebhookRecord, secrets: () => readonly string[]) {
    this.#deps = deps
    this.#record = record
    this.#filter = new EventFilter(record)
    this.#secrets = secrets
    this.letters = new DeadLetters(deps.store, record.id, deps.options.deadLetters)
  }

  get name(): string {
    return this.#record.id
  }

  get record(): WebhookRecord {
    return this.#record
  }

  get lagging(): number {
    let behind = 0
    for (const cursor of this.#cursors.values()) if (cursor.lagging) behind++
    return behind
  }

  takesLog(log: LogName): boolean {
    return this.#filter.takesLog(log)
  }

  cursor(log: LogName): LogCursor | undefined {
    return this.#cursors.get(log)
  }

  /** Continues in a log at its cursor. */
  begin(log: LogName, done: number, head: number, incarnation: number): void {
    const cursor = new LogCursor(log, done, head, incarnation)
    this.#cursors.set(log, cursor)
    this.#enqueue(cursor)
  }

  forget(log: LogName): void {
    const cursor = this.#cursors.get(log)
    if (cursor) this.#waiting.delete(cursor)
    this.#cursors.delete(log)
  }

  grown(log: LogName, head: number): void {
    const cursor = this.#cursors.get(log)
    if (!cursor || head <= cursor.head) return
    cursor.head = head
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

  /** Queues the cursors whose retry is due. Returns the time of the next (Unix ms), or 0. */
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

  /** Starts no more deliveries; resolves when the current ones have ended. */
  async close(): Promise<void> {
    this.#closed = true
    this.#deps.wheel.delete(this)
    await this.#retrying
    while (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** A single attempt, independent of the cursors. */
  post(id: string, body: Buffer): Promise<Outcome> {
    const { poster, options } = this.#deps
    return attempt(poster, { url: this.#record.url, secrets: this.#secrets(), id, body, timeout: options.timeout })
  }

  /** Retries dead letters one after another, after earlier retries. */
  retry(ids: readonly string[]): void {
    const work = async (): Promise<void> => {
      for (const id of ids) if (!this.#closed) await this.#retryLetter(id)
    }
    this.#retrying = this.#retrying.then(work).catch((error) => this.#deps.failed(error))
  }

  #enqueue(cursor: LogCursor): void {
    if (cursor.busy || cursor.due > 0 || !cursor.lagging) return
    cursor.busy = true
    this.#ready.push(cursor)
    this.#pump()
  }

  #pump(): void {
    while (!this.#closed && this.#record.enabled && this.#active < this.#deps.options.concurrency) {
      const cursor = this.#ready.shift()
      if (!cursor) return
      this.#active++
      void this.#serve(cursor)
    }
  }

  async #serve(cursor: LogCursor): Promise<void> {
    try {
      await this.#deliver(cursor)
    } catch (error) {
      this.#deps.failed(error)
      this.#wait(cursor, null)
    }
    this.#active--
    cursor.busy = false
    if (this.#cursors.get(cursor.log) === cursor) {
      this.#deps.advanced(cursor.log)
      this.#enqueue(cursor)
    }
    this.#pump()
    if (this.#active === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Delivers the next entries of a log until one fails. */
  async #deliver(cursor: LogCursor): Promise<void> {
    const { log } = this.#deps.store
    const { head, tail: first } = await log.open(cursor.log)
    if (cursor.done < first - 1) {
      this.#deps.counters.add('webhooks.lost.retention', first - 1 - cursor.done)
      cursor.done = first - 1
    }
    const entries = await log.read(cursor.log, cursor.done, PAGE_ENTRIES, PAGE_BYTES)
    if ((await log.open(cursor.log)).incarnation !== cursor.incarnation) return this.#leave(cursor)
    for (const entry of entries) {
      if (!this.#mayDeliver(cursor)) return
      const event = eventOf(cursor.log, entry)
      if (event && this.#filter.takes(event) && !(await this.#deliverOne(cursor, entry, event))) return
      cursor.done = entry.seq
    }
    // None of the remaining entries can be read any more.
    if (entries.length === 0) cursor.done = Math.max(cursor.done, head)
  }

  /** The log is another one of that name, which a hint is about to tell. */
  #leave(cursor: LogCursor): void {
    if (this.#cursors.get(cursor.log) === cursor) this.forget(cursor.log)
  }

  #mayDeliver(cursor: LogCursor): boolean {
    return !this.#closed && this.#record.enabled && this.#cursors.get(cursor.log) === cursor
  }

  /** Returns true if the next entry may follow. */
  async #deliverOne(cursor: LogCursor, entry: LogEntry, { id, type, body }: OutgoingEvent): Promise<boolean> {
    const outcome = await this.post(id, body)
    this.#note(outcome)
    if (outcome.kind === 'taken') {
      cursor.failures = 0
      return true
    }
    if (outcome.kind !== 'failed') return false
    const { attempts } = this.#deps.options
    if (++cursor.failures < attempts) {
      this.#wait(cursor, outcome.asked)
      return false
    }
    await this.#giveUp(cursor, entry.seq, id, type, outcome.error)
    return true
  }

  #note(outcome: Outcome): void {
    const { counters, gone } = this.#deps
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
    const { options, random, wheel } = this.#deps
    if (this.#closed) return
    cursor.due = Date.now() + waitAfter(Math.max(cursor.failures, 1), options, asked, random)
    this.#waiting.add(cursor)
    if (this.#nextDue !== 0 && this.#nextDue <= cursor.due) return
    this.#nextDue = cursor.due
    wheel.set(this, cursor.due)
  }

  /**
   * Stores the dead letter and the advanced cursor in one commit, so that the event is neither lost nor retried
   * forever.
   */
  async #giveUp(cursor: LogCursor, seq: number, id: string, type: string, error: string): Promise<void> {
    const { counters, note } = this.#deps
    const webhook = this.#record.id
    const letter = { webhook, id, log: cursor.log, seq, type, at: Date.now(), attempts: cursor.failures, error }
    const { log, incarnation } = cursor
    const dropped = await this.letters.add(letter, [readerCursorOp({ log, reader: webhook, seq, incarnation })])
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
    // Deleted or expired meanwhile: nothing is left to deliver.
    if (event?.id !== id) return this.letters.delete(id)
    const outcome = await this.post(id, event.body)
    this.#note(outcome)
    if (outcome.kind === 'taken') return this.letters.delete(id)
    if (outcome.kind === 'ended') return
    await this.letters.add({ ...letter, at: Date.now(), attempts: letter.attempts + 1, error: outcome.error })
  }
}
