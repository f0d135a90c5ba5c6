/** Invitations, with the number made by each user. */
import { KeyCounts } from '../../util/key-counts.js'
import type { InviteRecord } from '../rooms.js'
import { PairTable, parse, type Value } from './memory-table.js'

export class InviteTable extends PairTable<InviteRecord> {
  readonly by = new KeyCounts()

  constructor() {
    super((value, room, user) => ({ room, user, ...parse<Omit<InviteRecord, 'room' | 'user'>>(value) }))
  }

  protected override applyTo(room: string, user: string, value: Value | null): void {
    const before = this.byOwner.get(room, user)
    if (before) this.by.remove(before.by)
    super.applyTo(room, user, value)
    const after = this.byOwner.get(room, user)
    if (after) this.by.add(after.by)
  }

  override clear(room: string): void {
    for (const { by } of this.byOwner.of(room).values()) this.by.remove(by)
    super.clear(room)
  }
}
