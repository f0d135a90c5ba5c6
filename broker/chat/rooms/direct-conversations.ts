/** Direct conversations: rooms of two users, or of one who writes notes, created with the first message. */
import { Refusal } from '../../../schemas/errors.js'
import { directRoom } from '../../../schemas/ids.js'
import type { Op } from '../../store/op.js'
import { ROOM_DEFAULTS, type RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { requireAccount } from '../model/actor.js'
import { newMember } from './members.js'

export class DirectConversations {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Creates the conversation of two existing users, who may be the same, if there is none. Resolves with its room id. */
  async ensure(one: string, other: string): Promise<string> {
    const room = directRoom(one, other)
    if (this.isOpen(room, one, other)) return room
    await this.#store.transact(room, (tx) => this.#open(tx, room, one, other))
    return room
  }

  isOpen(room: string, one: string, other: string): boolean {
    const { directory } = this.#store
    return directory.member(room, one) !== undefined && directory.member(room, other) !== undefined
  }

  /** A user who joins an existing conversation (the name was deleted and registered again) sees nothing from before. */
  async #open({ directory }: Transaction, room: string, one: string, other: string): Promise<Decision<void>> {
    const missing = [...new Set([one, other])].filter((user) => !directory.member(room, user))
    if (missing.length === 0) return { value: undefined }
    await requireAccount(directory, { user: one })
    if (!(await directory.user(other))) throw new Refusal('not_found', `there is no user ${other}`)
    const ops: Op[] = directory.room(room) ? [] : [directory.roomOp(conversation(room, one))]
    for (const user of missing) ops.push(directory.memberOp(await newMember(this.#store, room, user, 'member')))
    return { ops, value: undefined }
  }
}

function conversation(id: string, createdBy: string): RoomRecord {
  return {
    ...{ id, access: 'private', direct: true, name: null, topic: null, avatar: null },
    ...ROOM_DEFAULTS,
    ...{ createdBy, createdAt: Date.now() },
  }
}
