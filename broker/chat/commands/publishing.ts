import type { PUBLISHING_COMMANDS } from '../../../schemas/commands/publishing.js'
import { Refusal } from '../../../schemas/errors.js'
import { parseTopic, topicNameFault, topics } from '../../../schemas/topics.js'
import type { QoS } from '../../store/qos.js'
import { requireUser } from '../model/actor.js'
import { stringify } from '../model/message.js'
import { type PublishFunction, publishAs } from '../model/publish-gate.js'
import type { Presence } from '../presence/presence.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

export interface PublishingCommandDeps {
  readonly rules: RoomRules
  readonly presence: Pick<Presence, 'shownTo'>
  readonly publish: PublishFunction
  /** Of a topic at most. */
  readonly topicLevels: number
}

/** Each is a publish in the name of the caller: the same rights, limits and hooks. */
export function publishingCommands(deps: PublishingCommandDeps): Handlers<keyof typeof PUBLISHING_COMMANDS> {
  const { rules, presence, publish, topicLevels } = deps
  return {
    typing: async (actor, { room, typing = true }) => {
      const topic = topics.room(rules.resolve(actor, room), 'typing')
      await publishAs(publish, actor, { topic, payload: json({ typing }), qos: 0, retain: false })
      return '{}'
    },
    'users.setPresence': async (actor, wanted) => {
      const user = requireUser(actor)
      const topic = topics.user(user, 'presence')
      await publishAs(publish, actor, { topic, payload: json(wanted), qos: 0, retain: false })
      return presence.shownTo(user, user).toString()
    },
    publish: async (actor, { topic, payload = '', base64, qos = 1, retain = false }) => {
      requirePlain(topic, topicLevels)
      if (base64 !== undefined && payload !== '')
        throw new Refusal('bad_request', 'there is one payload: text, or base64', { field: 'base64' })
      const bytes = base64 === undefined ? Buffer.from(payload) : Buffer.from(base64, 'base64')
      await publishAs(publish, actor, { topic, payload: bytes, qos: qos as QoS, retain })
      return '{}'
    },
  }
}

/** @throws Refusal */
function requirePlain(topic: string, topicLevels: number): void {
  const fault = topicNameFault(topic, topicLevels)
  if (fault) throw new Refusal('bad_request', fault, { field: 'topic' })
  const { kind } = parseTopic(topic)
  if (kind !== 'plain' && kind !== 'device')
    throw new Refusal('bad_request', `${topic} is no plain topic; there is a command for it, such as send`, {
      field: 'topic',
    })
}

function json(value: object): Buffer {
  return Buffer.from(stringify(value))
}
