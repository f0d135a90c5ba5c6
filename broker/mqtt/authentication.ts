/**
 * Enhanced authentication [MQTT5-4.12]. There is one method, JWT: the authentication data is a token, in the CONNECT or in the AUTH that
 * the broker asks for; and AUTH with another token of the same user renews the login while it goes on.
 */
import { encodeAuth } from './codec/encode.js'
import type { Auth, Connect } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { ConnectedClient } from './connected-client.js'
import { ConnectRefused } from './endings.js'
import { renewLogin } from './renewal.js'

const METHOD = 'JWT'
const NO_DATA = Buffer.alloc(0)

/** What a CONNECT says about authentication must fit together, and be of a method there is. */
export function checkMethod({ properties: { authMethod, authData } }: Connect): void {
  if (authData && authMethod === undefined)
    throw new ProtocolError(Reason.protocolError, 'authentication data without a method [MQTT5-3.1.2.11.10]')
  if (authMethod !== undefined && authMethod !== METHOD)
    throw new ConnectRefused(5, Reason.badAuthenticationMethod, `the authentication method here is ${METHOD}`)
}

/** The token of a CONNECT by method; null: it names no method. */
export function tokenOf({ properties: { authMethod, authData } }: Connect): string | null {
  return authMethod === undefined ? null : (authData ?? NO_DATA).toString('latin1')
}

/** A CONNECT that may name a method and leave out the token. */
export interface TokenRequest {
  packet: Connect
  /** What the answer to an AUTH leads to; null: nothing was asked. */
  exchange: ((answer: Auth) => void) | null
  readonly connection: { send(bytes: Uint8Array): void }
}

/** Asks for the token that a CONNECT left out. The answer becomes part of the CONNECT. */
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

/** AUTH of a client that is logged in [MQTT5-4.12.1]. What else it sends is handled meanwhile, in its turn. */
export async function reauthenticate(client: ConnectedClient, packet: Auth): Promise<void> {
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

function requireStep({ method, reason }: Auth, expected: string, step: number): void {
  if (method !== expected)
    throw new ProtocolError(Reason.protocolError, `AUTH with another method than CONNECT, ${expected} [MQTT5-4.12.1-1]`)
  if (reason !== step) throw new ProtocolError(Reason.protocolError, `AUTH with reason code ${reason}, not ${step}`)
}
