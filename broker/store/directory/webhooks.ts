/** Webhooks are in memory; their dead letters and what is said of them are read on demand. */
import { clear, del, type Op, put } from '../op.js'
import type { DeadLetter, WebhookRecord, WebhookState, WebhookStore } from '../outbox.js'
import { keyOf, partsOf, type Tables } from '../tables.js'
import { parse, SingleTable } from './memory-table.js'
import { readRange, readRecord } from './on-demand.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class Webhooks implements WebhookStore {
  readonly #tables: Tables
  readonly #records: TableSlot<SingleTable<WebhookRecord>>
  readonly #reads: Reads | null

  /** @param reads Records what is read of single webhooks */
  constructor(tables: Tables, slots: TableSlots, reads: Reads | null) {
    this.#tables = tables
    this.#records = slots.of('webhook', () => new SingleTable<WebhookRecord>(parse))
    this.#reads = reads
  }

  get(id: string): WebhookRecord | null {
    this.#reads?.record('webhook', keyOf(id))
    return this.#records.now.records.get(id) ?? null
  }

  all(): Iterable<WebhookRecord> {
    return this.#records.now.records.values()
  }

  putOp(record: WebhookRecord): Op {
    return put('webhook', keyOf(record.id), JSON.stringify(record))
  }

  deleteOps(id: string): Op[] {
    return [del('webhook', keyOf(id)), del('webhookState', keyOf(id)), clear('deadLetter', id), clear('retry', id)]
  }

  state(id: string): Promise<WebhookState | null> {
    return readRecord(this.#tables, 'webhookState', keyOf(id))
  }

  stateOp(id: string, state: WebhookState): Op {
    return put('webhookState', keyOf(id), JSON.stringify(state))
  }

  async retries(webhook: string): Promise<string[]> {
    return (await this.#tables.list('retry', { owner: webhook })).map(([key]) => partsOf(key)[1]!)
  }

  retryOp(webhook: string, id: string): Op {
    return put('retry', keyOf(webhook, id), '')
  }

  deleteRetryOp(webhook: string, id: string): Op {
    return del('retry', keyOf(webhook, id))
  }

  letter(webhook: string, id: string): Promise<DeadLetter | null> {
    return readRecord(this.#tables, 'deadLetter', keyOf(webhook, id))
  }

  letters(webhook: string, after: string, limit: number): Promise<DeadLetter[]> {
    return readRange(this.#tables, 'deadLetter', { owner: webhook, after: keyOf(webhook, after), limit })
  }

  letterOp(letter: DeadLetter): Op {
    return put('deadLetter', keyOf(letter.webhook, letter.id), JSON.stringify(letter))
  }

  deleteLetterOps(webhook: string, id: string): Op[] {
    return [del('deadLetter', keyOf(webhook, id)), this.deleteRetryOp(webhook, id)]
  }
}
