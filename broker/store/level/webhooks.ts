/** Webhooks and their dead letters: read on demand. */

import type { Op } from '../op.js'
import type { DeadLetter, WebhookRecord, WebhookStore } from '../outbox.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { del, put } from './operation.js'

export class LevelWebhooks implements WebhookStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async *all(): AsyncGenerator<WebhookRecord> {
    for await (const [, value] of this.#database.entries(ranges.webhooks)) yield JSON.parse(value.toString())
  }

  putOp(record: WebhookRecord): Op {
    return put(keys.webhook(record.id), JSON.stringify(record))
  }

  async deleteOps(id: string): Promise<Op[]> {
    const ops: Op[] = [del(keys.webhook(id))]
    for await (const [key] of this.#database.entries(ranges.deadLetters(id, ''))) ops.push(del(key))
    return ops
  }

  async letter(webhook: string, id: string): Promise<DeadLetter | null> {
    const value = await this.#database.get(keys.deadLetter(webhook, id))
    return value ? JSON.parse(value.toString()) : null
  }

  async letters(webhook: string, after: string, limit: number): Promise<DeadLetter[]> {
    const found = await this.#database.some(ranges.deadLetters(webhook, after), limit)
    return found.map(([, value]) => JSON.parse(value.toString()))
  }

  letterOp(letter: DeadLetter): Op {
    return put(keys.deadLetter(letter.webhook, letter.id), JSON.stringify(letter))
  }

  deleteLetterOp(webhook: string, id: string): Op {
    return del(keys.deadLetter(webhook, id))
  }
}
