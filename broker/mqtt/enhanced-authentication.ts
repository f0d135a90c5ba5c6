/**
 * Enhanced authentication [MQTT5-4.12]. The only method is JWT: the authentication data is a token, in CONNECT or in the AUTH that answers
 * the broker's. Re-authentication with another token of the same user renews the login.
 */
import { encodeAuth } from './codec/encode.js'
import type { AuthPacket, ConnectPacket } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import { ConnectRefused } from './connect-refused.js'
import type { ConnectedClient } from './connected-client.js'
import { renewLogin } from './renewal.js'

const METHOD = 'JWT'
const NO_DATA = Buffer.alloc(0)

/** Authentication data needs a method, and the method must be supported. */
export function checkMethod({ properties: { authMethod, authData } }: ConnectPacket): void {
  if (authData && authMethod === undefined)
    throw new ProtocolError(Reason.protocolError, 'authentication data without a method [MQTT5-3.1.2.11.10]')
  if (authMethod !== undefined && authMethod !== METHOD)
    throw new ConnectRefused(5, Reason.badAuthenticationMethod, `the authentication method here is ${METHOD}`)
}

/** The token of a CONNECT with an authentication method; null: it has no method. */
export function tokenOf({ properties: { authMethod, authData } }: ConnectPacket): string | null {
  return authMethod === undefined ? null : (authData ?? NO_DATA).toString('latin1')
}

/** A CONNECT that may name a method without authentication data. */
export interface TokenRequest {
  packet: ConnectPacket
  /** Takes the answer to an AUTH; null: none was sent. */
  exchange: ((answer: AuthPacket) => void) | null
  readonly connection: { send(bytes: Uint8Array): void }
}

/** Requests the token with AUTH if CONNECT has none. The answer becomes the authentication data of the CONNECT. */
export function askForToken(request: TokenRequest): void {
  const { packet, connection } = request
  const { authMethod, authData } = packet.properties
  if (authMethod === undefined || authData) return
  request.exchange = (answer) => {
    requireStep(answer, authMethod, Reason.continueAuthentication)
    request.packet = { ...packet, properties: { ...packet.properties, authData: answer.data ?? NO_DATA } }
  }
  connection.send(encodeAuth(Reason.continueAuthentication, { authMethod }))
}

/** AUTH of a client that is logged in [MQTT5-4.12.1]. Its other packets are handled meanwhile, in their order. */
export async function reauthenticate(client: ConnectedClient, packet: AuthPacket): Promise<void> {
  const { authMethod, exchange } = client
  if (authMethod === null)
    throw new ProtocolError(Reason.protocolError, 'AUTH after a CONNECT without a method [MQTT5-4.12.0-7]')
  client.exchange = null
  if (exchange && packet.reason === Reason.continueAuthentication) return exchange(packet)
  requireStep(packet, authMethod, Reason.reAuthenticate)
  if (packet.data) return renew(client, packet.data)
  client.exchange = (answer) => {
    requireStep(answer, authMethod, Reason.continueAuthentication)
    return renew(client, answer.data ?? NO_DATA)
  }
  client.sendAuth(Reason.continueAuthentication, authMethod)
}

async function renew(client: ConnectedClient, token: Buffer): Promise<void> {
  const login = await renewLogin(client, token.toString('latin1'))
  if (client.closed) return
  if (login.ok) client.sendAuth(Reason.success, client.authMethod!)
  else if (login.refusal === 'unavailable')
    void client.finish({ reason: Reason.unspecified, why: 'logins are not possible right now' })
  else void client.finish({ reason: Reason.notAuthorized, why: 'not authorized' })
}

function requireStep({ method, reason }: AuthPacket, expected: string, step: number): void {
  if (method !== expected)
    throw new ProtocolError(Reason.protocolError, `AUTH with another method than CONNECT, ${expected} [MQTT5-4.12.1-1]`)
  if (reason !== step) throw new ProtocolError(Reason.protocolError, `AUTH with reason code ${reason}, not ${step}`)
}
