/** How far the other members of a room have come. */
import type { Item, Receipt } from '../engine/inbox.js'
import type { Link } from './link.js'
import { Pool } from './pool.js'

export interface Receipts {
  /** By user; those of whom it is known. */
  readonly members: ReadonlyMap<string, Receipt>
  /** Every other member has read up to this seq; 0: of some it is not known. */
  readonly read: number
  /** It was delivered to every other member up to this seq. */
  readonly delivered: number
}

/** What the sender of a message is shown of it. */
export type ReceiptState = 'sent' | 'delivered' | 'read'

/** Of the message with this number, over all other members. */
export function receiptOf({ read, delivered }: Receipts, seq: number): ReceiptState {
  return seq <= read ? 'read' : seq <= delivered ? 'delivered' : 'sent'
}

/** Receipts of one room. */
const MOST = 1000

/** After these the user is no member any more. */
export const ENDS: ReadonlySet<string> = /* @__PURE__ */ new Set(['left', 'removed', 'banned'])

/** By room. */
export class RoomReceipts extends Pool<Receipts> {
  constructor(link: Link) {
    super(link, { members: new Map(), read: 0, delivered: 0 })
  }

  heard(item: Item): void {
    const members = 'room' in item && this.watched(item.room)?.current.members
    if (!members) return
    if (item.kind === 'info') this.#show(item.room, members)
    else if (item.kind === 'receipt') this.#moved(item.room, members, item.receipt)
    else if (item.kind === 'roomEvent' && ENDS.has(item.event.type)) {
      const others = [...members].filter(([user]) => user !== item.event.user)
      if (others.length < members.size) this.#show(item.room, new Map(others))
    }
  }

  #moved(room: string, members: Receipts['members'], receipt: Receipt): void {
    const known = members.get(receipt.user)
    if (receipt.user === this.link.replica.user || (!known && members.size >= MOST)) return
    const moved = known ? later(receipt, known) : receipt
    if (moved.read !== known?.read || moved.delivered !== known.delivered)
      this.#show(room, new Map(members).set(receipt.user, moved))
  }

  protected override async ask(room: string): Promise<void> {
    const before = this.get(room).current.members
    const { receipts } = await this.link.ask.receipts({ room, limit: MOST })
    const { members } = this.get(room).current
    const others = receipts.filter(({ user }) => user !== this.link.replica.user)
    const all = new Map(others.map((receipt) => [receipt.user, receipt]))
    // What has come live since it was asked for may be later than the answer.
    for (const [user, known] of members)
      if (known !== before.get(user)) all.set(user, later(all.get(user) ?? known, known))
    this.#show(room, all)
  }

  #show(room: string, members: Receipts['members']): void {
    const others = (this.link.replica.rooms.get(room)?.info.members ?? 0) - 1
    const all = [...members.values()]
    const least = (of: 'read' | 'delivered'): number =>
      others < 1 || all.length < others ? 0 : Math.min(...all.map((receipt) => receipt[of]))
    const [read, delivered] = [least('read'), least('delivered')]
    const { current } = this.get(room)
    if (members !== current.members || read !== current.read || delivered !== current.delivered)
      this.put(room, { members, read, delivered })
  }
}

function later(one: Receipt, other: Receipt): Receipt {
  return { ...one, read: Math.max(one.read, other.read), delivered: Math.max(one.delivered, other.delivered) }
}
