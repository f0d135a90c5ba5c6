/** The port between the SDK and the way to the broker: one connection, from its login to its end. It knows nothing of chat. */
import type { Clock, Signal } from '../base/platform.js'

/** With `token` (a JWT) the login can be renewed; an API key is a password. */
export type Login = { readonly clientId: string } & (
  | { readonly token: string }
  | { readonly user: string; readonly password: string }
)

/**
 * Logs in on a new connection. Rejects with a `WireError`: `refused` if the broker answered and said no. Nothing of a connection that failed,
 * or whose `signal` was aborted, is left.
 */
export type OpenWire = (login: Login, listener: WireListener, signal: Signal) => Promise<Wire>

/** Makes of the usual way to the broker one that goes on where that does not. `url`: of HTTP at the host of the broker. */
export type Fallback = (usual: OpenWire, at: { readonly url: string; readonly clock: Clock }) => OpenWire

/** A connection that is logged in. Each of its promises rejects with a `WireError`, all of them when the connection ends. */
export interface Wire {
  /** What the broker said of the connection. */
  readonly properties: Readonly<Properties>
  /** The reason codes, one per filter; from 0x80 on it was refused. */
  subscribe(subscriptions: readonly Subscription[], signal?: Signal): Promise<readonly number[]>
  unsubscribe(filters: readonly string[], signal?: Signal): Promise<readonly number[]>
  /**
   * At QoS 1 resolves with the broker's answer, at QoS 0 when the message was handed over. Aborted before the message was sent it is not sent
   * at all; later it may have been carried out.
   */
  publish(message: Outgoing, signal?: Signal): Promise<Answer>
  /** Renews the login with another token of the same user. A token that is refused ends the connection. */
  renew(token: string): Promise<void>
  /** Resolves if the broker answers within `ms`; else the connection has ended. */
  check(ms: number): Promise<void>
  /** Tells the broker, and ends the connection. `ended` is not called any more. Resolves when nothing of it is left; never rejects. */
  close(): Promise<void>
}

export interface WireListener {
  /**
   * At QoS 1 the message is acknowledged when this returns or resolves, in the order of arrival. If it fails, the connection ends, because
   * the message would be lost.
   */
  message(message: Incoming): void | Promise<void>
  /** The connection has ended by itself; called once, and only after it was open. */
  ended(error: WireError): void
}

export interface Subscription {
  readonly filter: string
  readonly qos: 0 | 1
  /** What the client publishes itself is not sent to it. */
  readonly noLocal?: boolean
  /** Whether retained messages are sent: 0 always, 1 if the subscription is new, 2 never. */
  readonly retainHandling?: 0 | 1 | 2
}

export interface Outgoing {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
  readonly retain?: boolean
  readonly properties?: Properties
}

export interface Incoming {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
  readonly retain: boolean
  readonly properties: Readonly<Properties>
}

/** Of a PUBACK: success below 0x80. */
export interface Answer {
  readonly reason: number
  readonly properties: Readonly<Properties>
}

/** Properties of MQTT 5, times in seconds [MQTT5-2.2.2]. */
export interface Properties {
  payloadFormat?: number
  messageExpiry?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Uint8Array
  subscriptionIds?: number[]
  sessionExpiry?: number
  assignedClientId?: string
  serverKeepAlive?: number
  authMethod?: string
  authData?: Uint8Array
  requestProblemInformation?: number
  requestResponseInformation?: number
  responseInformation?: string
  serverReference?: string
  reasonString?: string
  receiveMaximum?: number
  topicAliasMaximum?: number
  topicAlias?: number
  maximumQos?: number
  retainAvailable?: number
  userProperties?: [string, string][]
  maximumPacketSize?: number
  wildcardAvailable?: number
  subscriptionIdsAvailable?: number
  sharedAvailable?: number
}

/**
 * - `refused`: the broker refused the login.
 * - `disconnected`: the broker ended the connection, and said why.
 * - `network`: the connection was not made, was lost, or is silent.
 * - `protocol`: the broker sent what is not MQTT, or broke its rules.
 * - `rejected`: the client did not send it, because the broker, or the bounds of the client, do not allow it. The connection goes on.
 * - `failed`: the listener could not take a message.
 * - `aborted`, `closed`: the caller wanted it.
 */
export type WireErrorKind =
  | 'refused'
  | 'disconnected'
  | 'network'
  | 'protocol'
  | 'rejected'
  | 'failed'
  | 'aborted'
  | 'closed'

export class WireError extends Error {
  readonly kind: WireErrorKind
  /** Reason code of MQTT 5, of what the broker said, or what was told to it; null: none. */
  readonly reason: number | null
  /** What the broker said. */
  readonly properties: Readonly<Properties>

  constructor(
    kind: WireErrorKind,
    message: string,
    {
      reason = null,
      properties = {},
      cause,
    }: { reason?: number | null; properties?: Properties; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'WireError'
    this.kind = kind
    this.reason = reason
    this.properties = properties
  }
}

/** Of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
