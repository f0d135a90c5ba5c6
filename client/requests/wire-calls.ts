/** Requests over the SDK's own connection, answered to this session alone: request and response of MQTT 5 [MQTT5-4.10]. */
import type { CommandResult } from '../../schemas/commands.js'
import type { ErrorCode } from '../../schemas/errors.js'
import { directPeer } from '../../schemas/ids.js'
import type { MessageInput } from '../../schemas/message.js'
import { topics } from '../../schemas/topics.js'
import { ChatError } from '../base/chat-error.js'
import type { Clock, Signal } from '../base/platform.js'
import { mustLast } from '../base/scope.js'
import { textOf, utf8 } from '../wire/utf8.js'
import { type Answer, type Incoming, type Wire, WireError, type WireErrorKind } from '../wire/wire.js'
import { CALL_TIMEOUT, type Call, type CallOptions } from './calls.js'
import { Replies } from './replies.js'

/** The reason code of an answer from which on it refuses [MQTT5-2.4]. */
export const REFUSED = 0x80
const PACKET_TOO_LARGE = 0x95

/** What the broker refuses before it looks at the command, by reason code of the PUBACK; of others it says why in a reply, which comes first. */
const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  131: 'conflict', // implementation specific error
  135: 'forbidden', // not authorized
  144: 'not_found', // topic name invalid
  151: 'too_large', // quota exceeded
  153: 'bad_request', // payload format invalid
}

interface Open {
  readonly wire: Wire
  readonly user: string
  /** Topic of the replies. */
  readonly replies: string
}

export class WireCalls {
  readonly #replies: Replies
  #open: Open | null = null

  constructor(clock: Pick<Clock, 'timer'>) {
    this.#replies = new Replies(clock)
  }

  /** Who is logged in, as the broker says; null: there is no connection. */
  get user(): string | null {
    return this.#open?.user ?? null
  }

  /**
   * Requests go over this connection until `ended`.
   * @throws ChatError `forbidden`: whoever is logged in cannot make requests
   */
  async begin(wire: Wire, signal: Signal): Promise<void> {
    const replies = wire.properties.responseInformation
    const user = replies?.split('/')[1]
    if (replies === undefined || user === undefined)
      throw new ChatError('forbidden', 'the broker takes no requests of this login')
    const [reason = REFUSED] = await wire.subscribe([{ filter: replies, qos: 1 }], signal)
    if (reason >= REFUSED) throw new ChatError('forbidden', `the broker refused the subscription to ${replies}`)
    mustLast(signal)
    this.#open = { wire, user, replies }
  }

  ended(): void {
    this.#open = null
    this.#replies.lost()
  }

  /** False: it is not a reply. */
  take({ topic, payload }: Incoming): boolean {
    if (topic !== this.#open?.replies) return false
    this.#replies.take(textOf(payload)!)
    return true
  }

  readonly call: Call = async (name, params, { signal, timeout = CALL_TIMEOUT } = {}) => {
    const { wire, user, replies } = this.#opened()
    const send = (id: string, until: Signal): Promise<void> =>
      publish(wire, topics.request(user, name), { id, ...params }, { until, responseTopic: replies })
    return (await this.#replies.ask(name, { ...(signal && { signal }), timeout }, send)) as never
  }

  /**
   * Publishes a message to a room, or `@user`: the rates of messages are wider than those of requests, and what comes too fast is read more
   * slowly and not refused. What the broker does not take for another reason, and may take later, ends the connection. Rejects as a call does.
   */
  async send(
    room: string,
    message: MessageInput & { readonly cid: string },
    options: CallOptions & { readonly timeout: number },
  ): Promise<CommandResult<'send'>> {
    const { wire, user } = this.#opened()
    const peer = room.startsWith('@') ? room.slice(1) : directPeer(room, user)
    const topic = peer === null ? topics.room(room, 'messages') : topics.user(peer, 'messages')
    const send = (_: string, until: Signal): Promise<void> => publish(wire, topic, message, { until })
    return (await this.#replies.ask('send', options, send, message.cid)) as CommandResult<'send'>
  }

  /** @throws ChatError `offline` */
  #opened(): Open {
    if (!this.#open) throw new ChatError('offline', 'there is no connection')
    return this.#open
  }
}

/** Rejects with what the broker, or the wire, refuses before there is a reply. */
async function publish(
  wire: Wire,
  topic: string,
  message: object,
  { until, responseTopic }: { readonly until: Signal; readonly responseTopic?: string },
): Promise<void> {
  const payload = utf8(JSON.stringify(message))
  const properties = responseTopic === undefined ? {} : { properties: { responseTopic } }
  const published = wire.publish({ topic, payload, qos: 1, ...properties }, until)
  const answer = await published.catch((error: unknown) => Promise.reject(chatErrorOf(error)))
  if (answer.reason >= REFUSED) throw refusalOf(answer, topic)
}

/** What a PUBACK that refuses means. */
export function refusalOf({ reason, properties }: Answer, topic: string): ChatError {
  return new ChatError(REFUSALS[reason] ?? 'unavailable', properties.reasonString ?? `the broker refused it: ${topic}`)
}

const CODES: Partial<Record<WireErrorKind, 'aborted' | 'rate_limited'>> = {
  aborted: 'aborted',
  rejected: 'rate_limited',
}

function chatErrorOf(cause: unknown): unknown {
  if (!(cause instanceof WireError)) return cause
  const code = cause.reason === PACKET_TOO_LARGE ? 'too_large' : (CODES[cause.kind] ?? 'offline')
  return new ChatError(code, cause.message, { cause })
}
