/** Requests over the SDK's own connection, answered to this session alone: request and response of MQTT 5 [MQTT5-4.10]. */
import type { ErrorCode } from '../../schemas/errors.js'
import { topics } from '../../schemas/topics.js'
import { ChatError } from '../base/chat-error.js'
import type { Clock, Signal } from '../base/platform.js'
import { textOf, utf8 } from '../wire/utf8.js'
import { type Incoming, type Wire, WireError, type WireErrorKind } from '../wire/wire.js'
import { CALL_TIMEOUT, type Call } from './calls.js'
import { Replies } from './replies.js'

/** The reason code of an answer from which on it refuses [MQTT5-2.4]. */
const REFUSED = 0x80
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

  readonly call: Call = async (name, params, _route, { signal, timeout = CALL_TIMEOUT } = {}) => {
    const open = this.#open
    if (!open) throw new ChatError('offline', 'there is no connection')
    const { wire, user, replies } = open
    const send = async (id: string, until: Signal): Promise<void> => {
      const payload = utf8(JSON.stringify({ id, ...params }))
      const topic = topics.request(user, name)
      const published = wire.publish({ topic, payload, qos: 1, properties: { responseTopic: replies } }, until)
      const { reason, properties } = await published.catch((error: unknown) => Promise.reject(chatErrorOf(error)))
      if (reason < REFUSED) return
      throw new ChatError(REFUSALS[reason] ?? 'unavailable', properties.reasonString ?? `the broker refused ${name}`)
    }
    return (await this.#replies.ask(name, { ...(signal && { signal }), timeout }, send)) as never
  }
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
