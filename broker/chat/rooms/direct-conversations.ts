/** Direct conversations: rooms of two users, created with the first message. */
import { directRoom } from '../../../schemas/ids.js'
import type { Bus } from '../../store/bus.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import { ROOM_DEFAULTS } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import type { Signal } from '../model/signals.js'
import { newMember } from './members.js'

export class DirectConversations {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #locks: KeyedMutex

  constructor(store: Store, bus: Bus<Signal>, locks: KeyedMutex) {
    this.#store = store
    this.#bus = bus
    this.#locks = locks
  }

  /** Creates the conversation of two existing users if there is none. Resolves with its room id. */
  async ensure(one: string, other: string): Promise<string> {
    const room = directRoom(one, other)
    await this.#locks.runExclusive(room, async () => {
      if (!this.isOpen(room, one, other)) await this.#open(room, one, other)
    })
    return room
  }

  isOpen(room: string, one: string, other: string): boolean {
    const { directory } = this.#store
    return directory.member(room, one) !== undefined && directory.member(room, other) !== undefined
  }

  /** A user who joins an existing conversation (the name was deleted and registered again) sees nothing from before. */
  async #open(room: string, one: string, other: string): Promise<void> {
    const { directory } = this.#store
    const ops: Op[] = []
    if (!directory.room(room)) {
      ops.push(
        directory.roomOp({
          id: room,
          access: 'private',
          direct: true,
          name: null,
          topic: null,
          avatar: null,
          ...ROOM_DEFAULTS,
          createdBy: one,
          createdAt: Date.now(),
        }),
      )
    }
    const missing = [one, other].filter((user) => !directory.member(room, user))
    for (const user of missing) ops.push(directory.memberOp(await newMember(this.#store, room, user, 'member')))
    await commit(this.#store, { ops })
    for (const user of missing) this.#bus.send({ kind: 'membership', room, user, member: true })
  }
}
