/** Why a connection ended: for the log and, on MQTT 5, the DISCONNECT. */
export interface CloseReason {
  reason: number
  /** Clients of MQTT 5 read it. */
  why: string
  /** The client broke the rules or the network failed: Aedes' `clientError` or `connectionError`. */
  error?: Error
}
