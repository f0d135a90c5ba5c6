/** Webhooks and their dead letters: read on demand. */
import { clear, del, type Op, put } from '../op.js'
import type { DeadLetter, WebhookRecord, WebhookStore } from '../outbox.js'
import { keyOf, type Tables } from '../tables.js'
import { parse } from './memory-table.js'

export class Webhooks implements WebhookStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
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
