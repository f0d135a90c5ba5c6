/**
 * Delivers events to one webhook, on the node that serves it: a cursor per log, one event of a log at a time, several logs at once. Independent of
 * message delivery: all it costs a message is a note that its log has grown.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Fence } from '../../store/fence.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { WebhookState } from '../../store/outbox.js'
import { readerCursorOp } from '../../store/reader-cursors.js'
import type { Deadline } from '../../util/timer-wheel.js'
import type { Saving, Serving } from '../reader.js'
import type { Outcome } from './attempt.js'
import { waitAfter } from './backoff.js'
import { DeadLetters } from './dead-letters.js'
import { eventOf, type OutgoingEvent } from './events.js'
import { LogCursor } from './log-cursor.js'
import { Redelivery } from './redelivery.js'
import type { ServedWebhook, WebhookWorkerDeps } from './served-webhook.js'

/** Entries, and bytes, read of a log before other logs have their turn. */
const PAGE_ENTRIES = 16
const PAGE_BYTES = 262_144

export class WebhookWorker implements Serving, Deadline {
  readonly letters: DeadLetters
  readonly redelivery: Redelivery
  readonly #deps: WebhookWorkerDeps
  readonly #webhook: ServedWebhook
  readonly #fence: Fence | null
  readonly #ending = new AbortController()
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
  /** The receiver wants no more: nothing is sent until the webhook has changed. */
  #isGone = false
  #lastSuccess: number | null = null
  #lastError: string | null = null
  /** As it is stored. */
  #savedState = ''

  /** @param fence Null: there is no other node that could serve the webhook */
  constructor(deps: WebhookWorkerDeps, webhook: ServedWebhook, fence: Fence | null) {
    this.#deps = deps
    this.#webhook = webhook
    this.#fence = fence
    const { id } = webhook.record
    this.letters = new DeadLetters(deps.store, id, deps.options.deadLetters, fence)
    this.redelivery = new Redelivery(id, {
      ...{ store: deps.store, letters: this.letters },
      mayPost: () => this.#mayPost,
      post: (id, body) => this.#post(id, body),
      changed: () => deps.stateChanged(),
      failed: (error) => this.#failed(error),
    })
  }

  /** What it is after a restart, or took over. */
  async load(): Promise<void> {
    await this.letters.load()
    const { lastSuccess = null, lastError = null } = (await this.#deps.store.webhooks.state(this.#id)) ?? {}
    this.#lastSuccess = lastSuccess
    this.#lastError = lastError
  }

  /** Another node could take over. */
  get isFenced(): boolean {
    return this.#fence !== null
  }

  get #id(): string {
    return this.#webhook.record.id
  }

  get state(): WebhookState {
    let behind = 0
    for (const cursor of this.#cursors.values()) if (cursor.lagging) behind++
    return { behind, dead: this.letters.count, lastSuccess: this.#lastSuccess, lastError: this.#lastError }
  }

  stateSaving(): Saving | null {
    const { state } = this
    const text = JSON.stringify(state)
    if (text === this.#savedState) return null
    const op = this.#deps.store.webhooks.stateOp(this.#id, state)
    return { op, saved: () => void (this.#savedState = text) }
  }

  /** Its dead letters may have been removed with their logs. */
  async recount(): Promise<void> {
    await this.letters.load()
    this.#deps.stateChanged()
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

  /** Its record has changed. */
  changed(): void {
    const { record, filter } = this.#webhook
    this.#isGone = false
    for (const log of [...this.#cursors.keys()]) if (!filter.takesLog(log)) this.forget(log)
    if (!record.enabled) return
    for (const cursor of this.#waiting) cursor.due = 0
    this.#waiting.clear()
    for (const cursor of this.#cursors.values()) this.#enqueue(cursor)
    this.#pump()
  }

  /** The store is known to be up to date again. */
  resume(): void {
    this.#pump()
    this.redelivery.resume()
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

  /** Starts no more deliveries; resolves when the current ones have ended, of which those without an answer after a while are aborted. */
  async stop(patience: number): Promise<void> {
    this.#closed = true
    this.#deps.wheel.delete(this)
    const over = new AbortController()
    const late = pause(patience, undefined, over).then(
      () => this.#ending.abort(),
      () => {},
    )
    await this.redelivery.idle()
    while (this.#active > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    over.abort()
    await late
  }

  /** Not while others may serve the webhook without this node knowing. */
  get #mayPost(): boolean {
    return !this.#closed && !this.#fence?.lost && this.#deps.store.fresh
  }

  /** What fails because another node has taken over is no fault. */
  #failed(error: unknown): void {
    if (!this.#fence?.lost) this.#deps.failed(error)
  }

  #enqueue(cursor: LogCursor): void {
    if (cursor.busy || cursor.due > 0 || !cursor.lagging) return
    cursor.busy = true
    this.#ready.push(cursor)
    this.#pump()
  }

  #pump(): void {
    const { concurrency } = this.#deps.options
    while (this.#mayDeliver && this.#active < concurrency) {
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
      this.#failed(error)
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
      if (!this.#mayDeliver || this.#cursors.get(cursor.log) !== cursor) return
      const event = eventOf(cursor.log, entry)
      if (event && this.#webhook.filter.takes(event) && !(await this.#deliverOne(cursor, entry, event))) return
      cursor.done = entry.seq
    }
    // None of the remaining entries can be read any more.
    if (entries.length === 0) cursor.done = Math.max(cursor.done, head)
  }

  /** The log is another one of that name, which a hint is about to tell. */
  #leave(cursor: LogCursor): void {
    if (this.#cursors.get(cursor.log) === cursor) this.forget(cursor.log)
  }

  get #mayDeliver(): boolean {
    return this.#mayPost && this.#webhook.record.enabled && !this.#isGone
  }

  /** Returns true if the next entry may follow. */
  async #deliverOne(cursor: LogCursor, entry: LogEntry, { id, type, body }: OutgoingEvent): Promise<boolean> {
    const outcome = await this.#post(id, body)
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

  async #post(id: string, body: Buffer): Promise<Outcome> {
    const { url } = this.#webhook.record
    const outcome = await this.#webhook.post(id, body, this.#ending.signal)
    this.#note(outcome, url)
    return outcome
  }

  #note(outcome: Outcome, url: string): void {
    const { counters } = this.#deps
    if (outcome.kind === 'ended') return
    if (outcome.kind === 'taken') {
      this.#lastSuccess = Date.now()
      return counters.add('webhooks.delivered')
    }
    this.#lastError = outcome.error
    counters.add('webhooks.failed')
    if (outcome.kind === 'gone') void this.#gone(url, outcome.error)
  }

  async #gone(url: string, why: string): Promise<void> {
    this.#isGone = true
    try {
      await this.#deps.gone(url, why)
    } catch (error) {
      this.#failed(error)
      this.#isGone = false
      this.#pump()
    }
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
    const webhook = this.#id
    const letter = { webhook, id, log: cursor.log, seq, type, at: Date.now(), attempts: cursor.failures, error }
    const { log, incarnation } = cursor
    const dropped = await this.letters.add(letter, [readerCursorOp({ log, reader: webhook, seq, incarnation })])
    cursor.failures = 0
    cursor.saved = seq
    counters.add('webhooks.dead')
    note('webhook: an event was given up', webhook, { webhook, event: id, type, attempts: letter.attempts, why: error })
    if (dropped > 0) counters.add('webhooks.lost.deadLetters', dropped)
  }
}
