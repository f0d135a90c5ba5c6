import type { MESSAGE_COMMANDS } from '../../../schemas/commands/messages.js'
import { Refusal } from '../../../schemas/errors.js'
import { directPeer, isDirectRoom } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import type { Store } from '../../store/store.js'
import { readHistory } from '../history/history.js'
import { type PublishFunction, publishAndWait } from '../model/publish-gate.js'
import { logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the messages. */
const ENVELOPE = 4096

export interface MessageCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly publish: PublishFunction
  readonly replyBytes: number
}

export function messageCommands(deps: MessageCommandDeps): Handlers<keyof typeof MESSAGE_COMMANDS> {
  const { store, rules, publish, replyBytes } = deps
  return {
    send: async (actor, { room, ...message }) => {
      const id = rules.resolve(actor, room)
      const peer = directPeer(id, actor.principal.user)
      const topic = peer === null ? topics.room(id, 'messages') : topics.user(peer, 'messages')
      // With an explicit type it is always a message; an object with none of the known keys would be taken as data.
      return JSON.stringify(await publishAndWait(publish, actor, topic, { type: 'text', ...message }))
    },
    history: async (actor, { room, limit = 50, maxBytes = 65536, ...query }) => {
      if (query.thread !== undefined && query.pinned)
        throw new Refusal('bad_request', 'thread and pinned are asked for one at a time', { field: 'pinned' })
      const id = rules.resolve(actor, room)
      const direct = isDirectRoom(id)
      if (direct && !store.directory.room(id)) return '{"messages":[],"more":false}'
      const { joined } = rules.requireMember(actor, id)
      return readHistory(store, logs.messages(id), {
        ...query,
        limit,
        maxBytes: Math.min(maxBytes, replyBytes - ENVELOPE),
        // A user of a deleted and re-registered name does not see the past of a direct conversation.
        hidden: direct ? joined.messages : 0,
        reader: actor.principal.user,
      })
    },
  }
}
