import type { MESSAGE_COMMANDS } from '../../../schemas/commands/messages.js'
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../actor.js'
import type { Handlers } from '../commands.js'
import { readHistory } from '../history.js'
import { stringify } from '../message.js'
import type { Incoming, Receipt } from '../pipeline.js'
import type { RoomRules } from '../room-rules.js'

/** Room of a result that is not messages. */
const ENVELOPE = 4096

export interface MessageCommandParts {
  readonly store: Store
  readonly rules: RoomRules
  /** The way of every message in. */
  readonly publish: (actor: Actor, incoming: Incoming, receipt: Receipt) => void | Promise<void>
  readonly replyBytes: number
}

export function messageCommands(parts: MessageCommandParts): Handlers<keyof typeof MESSAGE_COMMANDS> {
  const { store, rules, publish, replyBytes } = parts
  return {
    send: (actor, { room, ...message }) => {
      const topic = room.startsWith('@')
        ? topics.user(room.slice(1), 'messages')
        : topics.room(rules.resolve(actor, room), 'messages')
      // With a type it is a message, also where it has nothing else; without any key it would be taken as data.
      const payload = Buffer.from(stringify({ type: 'text', ...message }))
      const incoming: Incoming = { topic, payload, qos: 1, retain: false, ops: [], joins: true }
      return new Promise((resolve, reject) => {
        const settled: Receipt['settled'] = (refusal, result) =>
          refusal ? reject(refusal) : resolve(JSON.stringify(result))
        publish({ ...actor, silent: true }, incoming, { settled })?.catch(reject)
      })
    },
    history: async (actor, { room, limit = 50, maxBytes = 65536, ...query }) => {
      if (query.thread !== undefined && query.pinned)
        throw new Refusal('bad_request', 'thread and pinned are asked for one at a time', { field: 'pinned' })
      const id = rules.resolve(actor, room)
      const direct = isDirectRoom(id)
      if (direct && !store.directory.room(id)) return '{"messages":[],"more":false}'
      const { joined } = rules.requireMember(actor, id)
      return readHistory(store, id, {
        ...query,
        limit,
        maxBytes: Math.min(maxBytes, replyBytes - ENVELOPE),
        // The past of a direct conversation belongs to who had the name then.
        hidden: direct ? joined.messages : 0,
        reader: actor.principal.user,
      })
    },
  }
}
