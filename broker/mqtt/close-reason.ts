/** Why a connection ended: for the log and, on MQTT 5, the DISCONNECT. */
export interface CloseReason {
  reason: number
  /** Clients of MQTT 5 read it. */
  why: string
  /** The broker sends its clients away, and expects them back, here or elsewhere: nobody is to take them for dead. */
  leaving?: boolean
  /** Where the client should go instead [MQTT5-4.11]. */
  serverReference?: string
  /** The client broke the rules or the network failed: Aedes' `clientError` or `connectionError`. */
  error?: Error
}
