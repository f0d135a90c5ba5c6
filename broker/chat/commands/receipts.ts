import type { RECEIPT_COMMANDS } from '../../../schemas/commands/receipts.js'
import type { ReceiptRecord } from '../../store/receipts.js'
import type { Store } from '../../store/store.js'
import { publicReceipt, type Receipts } from '../presence/receipts.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

export interface ReceiptCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly receipts: Receipts
  readonly largeRooms: LargeRoomPolicy
}

export function receiptCommands(deps: ReceiptCommandDeps): Handlers<keyof typeof RECEIPT_COMMANDS> {
  const { store, rules, receipts, largeRooms } = deps
  return {
    read: async (actor, { room, seq, private: silent = false, ...where }) => {
      const id = rules.resolve(actor, room)
      const { read, delivered } = await receipts.move(actor, id, { read: seq, private: silent, ...where }, 'seq')
      return JSON.stringify({ read, delivered })
    },
    receipts: async (actor, { room, seq, after = '', limit = 100 }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const reader = actor.principal.user
      await receipts.flush()
      const visible = [...store.directory.members(id).values()].flatMap(
        (member) => receipts.storedFor(member, reader) ?? [],
      )
      const readers = visible.filter(({ sharedRead, delivered }) => Math.max(sharedRead, delivered) >= (seq ?? 1))
      const page = readers.filter(({ user }) => user > after).sort(byUser)
      const counts =
        seq === undefined
          ? {}
          : { read: readers.filter(({ sharedRead }) => sharedRead >= seq).length, delivered: readers.length }
      const shown = { receipts: page.slice(0, limit).map(publicReceipt), ...counts, thinned: largeRooms.of(id) }
      return JSON.stringify({ ...shown, more: page.length > limit })
    },
  }
}

function byUser(a: ReceiptRecord, b: ReceiptRecord): number {
  return a.user < b.user ? -1 : 1
}
