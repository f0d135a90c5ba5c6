/** All records above an adapter: those in memory follow the changes of its tables. */
import type { ReceiptStore } from '../receipts.js'
import type { RecordListener } from '../record-changes.js'
import type { StorePort } from '../store.js'
import type { TableChange, TableFollower, Tables } from '../tables.js'
import type { RecordReader } from '../transaction.js'
import { Accounts } from './accounts.js'
import { Directory } from './directory.js'
import { ExpiringTable } from './expiring.js'
import { JobOwnerTable } from './job-owners.js'
import { Moderation } from './moderation.js'
import type { Reads } from './reads.js'
import { Receipts } from './receipts.js'
import { RecordWatch } from './record-watch.js'
import { RecordingTables } from './recording-tables.js'
import { SessionOwnerTable } from './session-owners.js'
import { TableSlots } from './table-slots.js'
import { Users } from './users.js'
import { Webhooks } from './webhooks.js'

export class Records implements TableFollower {
  readonly reader: RecordReader & { readonly receipts: ReceiptStore }
  readonly #tables: Tables
  readonly #slots = new TableSlots()
  readonly #users: Users
  readonly #watch: RecordWatch
  readonly #waiting: { readonly position: number; readonly resolve: () => void }[] = []

  private constructor(tables: Tables) {
    this.#tables = tables
    this.#users = new Users(tables)
    this.reader = { ...this.#reader(tables, null), receipts: new Receipts(this.#slots) }
    this.#watch = new RecordWatch(this.reader.directory, this.#users)
  }

  /** Reads the records, and follows their changes from then on. */
  static async follow(port: Pick<StorePort, 'tables' | 'follow'>): Promise<Records> {
    const records = new Records(port.tables)
    await port.follow(records)
    return records
  }

  /** Of the last commit in memory. */
  get position(): number {
    return this.#slots.position
  }

  /** The same records, noting in `reads` what is read. */
  recording(reads: Reads): RecordReader {
    return this.#reader(new RecordingTables(this.#tables, reads), reads)
  }

  #reader(tables: Tables, reads: Reads | null): RecordReader {
    return {
      directory: new Directory(tables, this.#slots, this.#users, reads),
      moderation: new Moderation(tables, this.#slots, reads),
      accounts: new Accounts(tables),
      expiring: new ExpiringTable(tables, this.#slots, reads),
      webhooks: new Webhooks(tables, this.#slots, reads),
      sessionOwners: new SessionOwnerTable(this.#slots, reads),
      jobOwners: new JobOwnerTable(this.#slots, reads),
    }
  }

  /** See `Store`. */
  watch(listener: RecordListener): void {
    this.#watch.add(listener)
  }

  /** Resolves when what is in memory is as new as a position. */
  async reached(position: number): Promise<void> {
    if (this.position >= position) return
    await new Promise<void>((resolve) => this.#waiting.push({ position, resolve }))
  }

  async load(tables: Tables): Promise<() => void> {
    const loaded = await this.#slots.load(tables)
    return () => {
      const former = this.#watch.memory()
      loaded()
      this.#users.forget()
      this.#watch.reloaded(former)
    }
  }

  apply(position: number, changes: readonly TableChange[]): void {
    const former = this.#watch.note(changes)
    this.#slots.apply(position, changes)
    this.#users.apply(changes)
    if (former) this.#watch.applied(former)
    for (let i = this.#waiting.length - 1; i >= 0; i--)
      if (this.#waiting[i]!.position <= position) this.#waiting.splice(i, 1)[0]!.resolve()
  }
}
