/**
 * Privacy settings: one small key per user who changed them, loaded at the start and kept in memory, which is updated
 * after the disk.
 */

import type { Op } from '../op.js'
import type { PrivacyRecord, PrivacyStore } from '../privacy.js'
import type { Database } from './database.js'
import { keys, partsOf, ranges } from './keys.js'
import { del, put } from './operation.js'

export class LevelPrivacy implements PrivacyStore {
  readonly #database: Database
  #records = new Map<string, PrivacyRecord>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Reads everything; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const records = new Map<string, PrivacyRecord>()
    await this.#database.scan(ranges.allPrivacy, (key, value) => {
      const user = partsOf(key)[0]!
      records.set(user, { user, ...JSON.parse(value.toString()) })
    })
    return () => {
      this.#records = records
    }
  }

  get(user: string): PrivacyRecord | undefined {
    return this.#records.get(user)
  }

  putOp(record: PrivacyRecord): Op {
    const { user, ...settings } = record
    const kept = { ...record }
    return put(keys.privacy(user), JSON.stringify(settings), () => void this.#records.set(user, kept))
  }

  deleteOp(user: string): Op {
    return del(keys.privacy(user), () => void this.#records.delete(user))
  }
}
