/** How connections end before their client wants them to. */

/** Why a connection ended: for the log and, on MQTT 5, the DISCONNECT. */
export interface Ending {
  reason: number
  why: string
  /** The client broke the rules or the network failed: Aedes' `clientError` or `connectionError`. */
  error?: Error
}

/** Refused CONNECT: answered with this code, then closed. `code` is the 3.1.1 return code, `reason` that of MQTT 5. */
export class ConnectRefused extends Error {
  readonly code: number
  readonly reason: number
  constructor(code: number, reason: number, message: string) {
    super(message)
    this.name = 'ConnectRefused'
    this.code = code
    this.reason = reason
  }
}
