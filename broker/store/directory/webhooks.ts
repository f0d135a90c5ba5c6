/** Webhooks and their dead letters: read on demand. */
import { clear, del, type Op, put } from '../op.js'
import type { DeadLetter, WebhookRecord, WebhookStore } from '../outbox.js'
import { keyOf, type Tables } from '../tables.js'
import { readAll, readRange, readRecord } from './on-demand.js'

export class Webhooks implements WebhookStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  get(id: string): Promise<WebhookRecord | null> {
    return readRecord(this.#tables, 'webhook', keyOf(id))
  }

  all(): AsyncIterable<WebhookRecord> {
    return readAll(this.#tables, 'webhook')
  }

  putOp(record: WebhookRecord): Op {
    return put('webhook', keyOf(record.id), JSON.stringify(record))
  }

  deleteOps(id: string): Op[] {
    return [del('webhook', keyOf(id)), clear('deadLetter', id)]
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

  deleteLetterOp(webhook: string, id: string): Op {
    return del('deadLetter', keyOf(webhook, id))
  }
}
