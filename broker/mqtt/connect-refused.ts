/** CONNECTs that are refused. */
import type { Config } from '../../schemas/config.js'
import type { Properties } from './codec/properties.js'
import { Reason } from './codec/reason-codes.js'

/** Refused CONNECT: answered with this code, then closed. `code` is the 3.1.1 return code, `reason` that of MQTT 5. */
export class ConnectRefused extends Error {
  readonly code: number
  readonly reason: number
  /** For the client; the message, unless that is only for the log and plugins. */
  readonly reasonString: string
  /** Where the client should go instead [MQTT5-4.11]. */
  readonly serverReference: string | undefined
  /** The connection ends without a CONNACK, which a server may send [MQTT5-3.1.4-2], unless that names another server. */
  readonly isSilent: boolean
  /** Seconds after which the client may try again. */
  readonly retryAfter: number | undefined
  constructor(
    code: number,
    reason: number,
    message: string,
    options: {
      reasonString?: string
      serverReference?: string
      isSilent?: boolean
      retryAfter?: number | undefined
    } = {},
  ) {
    super(message)
    this.name = 'ConnectRefused'
    this.code = code
    this.reason = reason
    this.reasonString = options.reasonString ?? message
    this.serverReference = options.serverReference
    this.isSilent = options.isSilent ?? false
    this.retryAfter = options.retryAfter
  }

  /** For clients of MQTT 5, beside the reason string. */
  get properties(): Properties {
    const { serverReference, retryAfter } = this
    return {
      ...(serverReference === undefined ? {} : { serverReference }),
      ...(retryAfter === undefined ? {} : { userProperties: [['retryAfter', `${Math.ceil(retryAfter)}`]] }),
    }
  }
}

/** Why every CONNECT is refused at the moment; null: it is not. `full`: `limits.connections` is reached. */
export function refusalOfAll(
  { to, permanent, when }: Config['listen']['redirect'],
  full: boolean,
): ConnectRefused | null {
  if (to !== null && (full || when === 'always')) {
    const reason = permanent ? Reason.serverMoved : Reason.useAnotherServer
    return new ConnectRefused(3, reason, `use ${to}`, { serverReference: to })
  }
  return full ? new ConnectRefused(3, Reason.serverBusy, 'too many connections') : null
}
