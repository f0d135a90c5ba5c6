/** Ephemeral messages: typing, signals and the user's presence status. They are never stored, so offline users do not get them. */
import type { Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import { directMembers } from '../../../schemas/ids.js'
import { EMOJI, PresenceInput, TypingInput } from '../../../schemas/message.js'
import { topics } from '../../../schemas/topics.js'
import type { Bus } from '../../store/bus.js'
import type { DirectoryStore } from '../../store/directory.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import { type Actor, requireUser } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { normalizeEmoji } from '../model/emoji.js'
import { decodeText, readObject, stringify } from '../model/message.js'
import { requireReachable } from '../model/privacy.js'
import type { Signal } from '../model/signals.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Presence } from './presence.js'
import type { Typing } from './typing.js'

const typingShape = Compile(TypingInput)
const presenceShape = Compile(PresenceInput)

export interface EphemeralMessagesDeps {
  readonly bus: Bus<Signal>
  readonly rules: RoomRules
  readonly directory: DirectoryStore
  readonly presence: Presence
  readonly typing: Typing
  readonly typingPerSecond: number
  /** Counts dropped messages, by reason. */
  readonly count: (name: string) => void
}

export class EphemeralMessages {
  readonly #deps: EphemeralMessagesDeps
  readonly #typingRate: TokenBuckets

  constructor(deps: EphemeralMessagesDeps) {
    this.#deps = deps
    this.#typingRate = new TokenBuckets(deps.typingPerSecond)
  }

  /** Above the rate it is dropped without an answer, because the next one carries the same information. */
  typing(actor: Actor, room: string, payload: Buffer): void {
    const user = requireUser(actor)
    const pair = directMembers(room)
    if (pair?.includes(user)) {
      const other = pair[0] === user ? pair[1] : pair[0]
      requireReachable(this.#deps.directory, other, user, 'messages', `you may not write to ${other}`)
    } else this.#deps.rules.requireWriter(this.#deps.rules.requireMember(actor, room))
    let typing = true
    if (payload.length > 0) {
      const input = readObject(payload) ?? {}
      checkSchema(typingShape, input)
      typing = (input as { typing: boolean }).typing
    }
    if (this.#typingRate.take(actor.sessionId ?? user) > 0) return this.#deps.count('dropped.typing_rate')
    this.#deps.typing.set(room, user, typing, actor.sessionId)
  }

  /** Signals between users (calls, key exchange): `{from, ts, data}` for JSON, `{from, ts, text}` for anything else. */
  async signal(actor: Actor, to: string, payload: Buffer): Promise<void> {
    const from = requireUser(actor)
    if (!(await this.#deps.directory.user(to))) throw new Refusal('not_found', `there is no user ${to}`)
    requireReachable(this.#deps.directory, to, from, 'messages', `you may not write to ${to}`)
    const data = readObject(payload)
    const out = { from, ts: Date.now(), ...(data ? { data } : { text: decodeText(payload) }) }
    this.#deps.bus.send({
      kind: 'ephemeral',
      topic: topics.user(to, 'signals'),
      payload: Buffer.from(stringify(out)),
      qos: 0,
    })
  }

  presence(actor: Actor, payload: Buffer): void {
    const input = readObject(payload)
    if (!input) throw new Refusal('bad_request', 'expected {"status":…,"away":…}')
    checkSchema(presenceShape, input)
    const user = requireUser(actor)
    const { away, ...status } = input as Static<typeof PresenceInput>
    const device = actor.sessionId
    if (Object.keys(status).length > 0)
      this.#deps.presence.set(user, wholeStatus(status), away === undefined ? null : { device, away })
    else if (away !== undefined) this.#deps.presence.setAway(user, device, away)
  }
}

/** A status is set as a whole: what was said before does not stay beside it. @throws Refusal */
function wholeStatus({ status = null, statusEmoji = null, statusUntil = null }: Static<typeof PresenceInput>) {
  if (statusEmoji !== null && !EMOJI.test(statusEmoji))
    throw new Refusal('bad_request', 'statusEmoji is an emoji, or a name of your own such as :party:', {
      field: 'statusEmoji',
    })
  return { status, statusEmoji: statusEmoji && normalizeEmoji(statusEmoji), statusUntil }
}
