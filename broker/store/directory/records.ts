/** All records above an adapter: those in memory follow the changes of its tables. */
import type { Store, StorePort } from '../store.js'
import type { TableChange, TableFollower, Tables } from '../tables.js'
import { Accounts } from './accounts.js'
import { Directory } from './directory.js'
import { Moderation } from './moderation.js'
import { Receipts } from './receipts.js'
import { TableSlots } from './table-slots.js'
import { Webhooks } from './webhooks.js'

export class Records implements TableFollower {
  readonly directory: Directory
  readonly receipts: Receipts
  readonly moderation: Moderation
  readonly accounts: Accounts
  readonly webhooks: Webhooks
  readonly #slots = new TableSlots()

  private constructor(tables: Tables) {
    this.directory = new Directory(tables, this.#slots)
    this.receipts = new Receipts(this.#slots)
    this.moderation = new Moderation(tables, this.#slots)
    this.accounts = new Accounts(tables)
    this.webhooks = new Webhooks(tables)
  }

  /** Reads the records, and follows their changes from then on. */
  static async follow(port: Pick<StorePort, 'tables' | 'follow'>): Promise<Records> {
    const records = new Records(port.tables)
    await port.follow(records)
    return records
  }

  load(tables: Tables): Promise<() => void> {
    return this.#slots.load(tables)
  }

  apply(position: number, changes: readonly TableChange[]): void {
    this.#slots.apply(position, changes)
  }
}

/** Loads the records of an open adapter. */
export async function withRecords<Port extends StorePort>(port: Port): Promise<Store> {
  const { directory, receipts, moderation, accounts, webhooks } = await Records.follow(port)
  return Object.assign(port, { directory, receipts, moderation, accounts, webhooks })
}
