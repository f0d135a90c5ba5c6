/** How connections end before their client wants them to. */
import type { Config } from '../../schemas/config.js'
import { Reason } from './codec/reason-codes.js'

/** Why a connection ended: for the log and, on MQTT 5, the DISCONNECT. */
export interface Ending {
  reason: number
  /** Clients of MQTT 5 read it. */
  why: string
  /** The client broke the rules or the network failed: Aedes' `clientError` or `connectionError`. */
  error?: Error
}

/** Refused CONNECT: answered with this code, then closed. `code` is the 3.1.1 return code, `reason` that of MQTT 5. */
export class ConnectRefused extends Error {
  readonly code: number
  readonly reason: number
  /** What the client may read; the message, unless that is for the log and plugins alone. */
  readonly told: string
  /** Where the client should go instead [MQTT5-4.11]. */
  readonly serverReference: string | undefined
  constructor(
    code: number,
    reason: number,
    message: string,
    options: { told?: string; serverReference?: string } = {},
  ) {
    super(message)
    this.name = 'ConnectRefused'
    this.code = code
    this.reason = reason
    this.told = options.told ?? message
    this.serverReference = options.serverReference
  }
}

/** Why every CONNECT is refused that comes now, whatever it says; null: it is looked at. `full`: `limits.connections` is reached. */
export function connectRefusal(
  { to, permanent, when }: Config['listen']['redirect'],
  full: boolean,
): ConnectRefused | null {
  if (to !== null && (full || when === 'always')) {
    const reason = permanent ? Reason.serverMoved : Reason.useAnotherServer
    return new ConnectRefused(3, reason, `use ${to}`, { serverReference: to })
  }
  return full ? new ConnectRefused(3, Reason.serverBusy, 'too many connections') : null
}
