import type { MESSAGE_COMMANDS } from '../../../schemas/commands/messages.js'
import { Refusal } from '../../../schemas/errors.js'
import { directPeer, isDirectRoom } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import type { Store } from '../../store/store.js'
import { readVersions } from '../history/edits.js'
import { readHistory } from '../history/history.js'
import { readAround, readSeqs } from '../history/history-around.js'
import type { HistoryQuery } from '../history/history-page.js'
import { Reactions } from '../history/reactions.js'
import type { References } from '../messages/references.js'
import type { Actor } from '../model/actor.js'
import { type PublishFunction, publishAndWait } from '../model/publish-gate.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the messages. */
const ENVELOPE = 4096

export interface MessageCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly references: References
  readonly publish: PublishFunction
  readonly replyBytes: number
}

export function messageCommands(deps: MessageCommandDeps): Handlers<keyof typeof MESSAGE_COMMANDS> {
  const { store, rules, references, publish, replyBytes } = deps
  const messageOf = async (actor: Actor, room: string, seq: number) => {
    const id = rules.resolve(actor, room)
    rules.requireMember(actor, id)
    const { entry, message } = await references.find(actor, id, seq, 'seq')
    if (!message) throw new Refusal('not_found', `message ${seq} is not kept any more`, { field: 'seq' })
    return { log: logs.messages(id), entry }
  }
  return {
    send: async (actor, { room, ...message }) => {
      const id = rules.resolve(actor, room)
      const peer = directPeer(id, actor.principal.user)
      const topic = peer === null ? topics.room(id, 'messages') : topics.user(peer, 'messages')
      // With an explicit type it is always a message; an object with none of the known keys would be taken as data.
      return JSON.stringify(await publishAndWait(publish, actor, topic, { type: 'text', ...message }))
    },
    history: async (actor, { room, limit = 50, maxBytes = 65536, around, aroundTs, seqs, ...filter }) => {
      requireOneOf({
        thread: filter.thread,
        roots: filter.roots || undefined,
        pinned: filter.pinned || undefined,
        seqs,
      })
      requireOneOf({ before: filter.before ?? filter.after, around, aroundTs })
      if (seqs) requireOneOf({ seqs, around, aroundTs })
      const id = rules.resolve(actor, room)
      if (isDirectRoom(id) && !store.directory.room(id)) return '{"messages":[],"more":false}'
      const query: HistoryQuery = {
        ...filter,
        limit,
        maxBytes: Math.min(maxBytes, replyBytes - ENVELOPE),
        hidden: hiddenFrom(rules.requireMember(actor, id)),
        reader: actor.principal.user,
      }
      const log = logs.messages(id)
      if (seqs) return readSeqs(store, log, seqs, query)
      if (around !== undefined) return readAround(store, log, { seq: around }, query)
      if (aroundTs !== undefined) return readAround(store, log, { ts: aroundTs }, query)
      return readHistory(store, log, query)
    },
    edits: async (actor, { room, seq, after = 0, limit = 50 }) => {
      const { log, entry } = await messageOf(actor, room, seq)
      return readVersions(store, log, entry, { after, limit, maxBytes: replyBytes - ENVELOPE })
    },
    reactions: async (actor, { room, seq, emoji, after = '', limit = 100 }) => {
      const { log } = await messageOf(actor, room, seq)
      return JSON.stringify(await new Reactions(store.notes).page(log, seq, { emoji, after, limit }))
    },
  }
}

/** @throws Refusal `bad_request` if more than one of them is given. */
function requireOneOf(params: Record<string, unknown>): void {
  const given = Object.keys(params).filter((name) => params[name] !== undefined)
  if (given.length < 2) return
  throw new Refusal('bad_request', `${given[0]} and ${given[1]} are asked for one at a time`, { field: given[1]! })
}
