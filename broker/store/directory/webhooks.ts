/** Webhooks and their dead letters: read on demand. */
import { clear, del, type Op, put } from '../op.js'
import type { DeadLetter, WebhookRecord, WebhookStore } from '../outbox.js'
import { keyOf, type Tables } from '../tables.js'
import { parse } from './memory-table.js'
import type { Reads } from './reads.js'

export class Webhooks implements WebhookStore {
  readonly #tables: Tables
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(tables: Tables, reads: Reads | null) {
    this.#tables = tables
    this.#reads = reads
  }

  async get(id: string): Promise<WebhookRecord | null> {
    this.#reads?.record('webhook', keyOf(id))
    const value = await this.#tables.get('webhook', keyOf(id))
    return value ? parse(value) : null
  }

  async *all(): AsyncGenerator<WebhookRecord> {
    for await (const [, value] of this.#tables.entries('webhook')) yield parse(value)
  }

  putOp(record: WebhookRecord): Op {
    return put('webhook', keyOf(record.id), JSON.stringify(record))
  }

  deleteOps(id: string): Op[] {
    return [del('webhook', keyOf(id)), clear('deadLetter', id)]
  }

  async letter(webhook: string, id: string): Promise<DeadLetter | null> {
    this.#reads?.record('deadLetter', keyOf(webhook, id))
    const value = await this.#tables.get('deadLetter', keyOf(webhook, id))
    return value ? parse(value) : null
  }

  async letters(webhook: string, after: string, limit: number): Promise<DeadLetter[]> {
    const range = { owner: webhook, after: keyOf(webhook, after), limit }
    return (await this.#tables.list('deadLetter', range)).map(([, value]) => parse(value))
  }

  letterOp(letter: DeadLetter): Op {
    return put('deadLetter', keyOf(letter.webhook, letter.id), JSON.stringify(letter))
  }

  deleteLetterOp(webhook: string, id: string): Op {
    return del('deadLetter', keyOf(webhook, id))
  }
}
