/**
 * Enhanced authentication [MQTT5-4.12]. There is one method, JWT: the authentication data is a token, in the CONNECT or in the AUTH that
 * the broker asks for; and AUTH with another token of the same user renews the login while it goes on.
 */
import type { Auth, Connect } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { Connection } from './connection.js'
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

/** Asks for the token that a CONNECT left out; false where there is nothing to ask. `enter` goes on with the whole CONNECT. */
export function askForToken(
  connection: Connection,
  packet: Connect,
  enter: (packet: Connect) => Promise<void>,
): boolean {
  const { authMethod, authData } = packet.properties
  if (authMethod === undefined || authData) return false
  connection.exchange = (answer) => {
    requireStep(answer, authMethod, Reason.continueAuthentication)
    return enter({ ...packet, properties: { ...packet.properties, authData: answer.data ?? NO_DATA } })
  }
  connection.sendAuth(Reason.continueAuthentication, authMethod)
  return true
}

/** AUTH of a client that is logged in [MQTT5-4.12.1]. What else it sends is handled meanwhile, in its turn. */
export async function reauthenticate(connection: Connection, packet: Auth): Promise<void> {
  const { authMethod, exchange } = connection
  if (authMethod === null)
    throw new ProtocolError(Reason.protocolError, 'AUTH after a CONNECT without a method [MQTT5-4.12.0-7]')
  connection.exchange = null
  if (exchange && packet.reason === Reason.continueAuthentication) return exchange(packet)
  requireStep(packet, authMethod, Reason.reAuthenticate)
  if (packet.data) return renew(connection, packet.data)
  connection.exchange = (answer) => {
    requireStep(answer, authMethod, Reason.continueAuthentication)
    return renew(connection, answer.data ?? NO_DATA)
  }
  connection.sendAuth(Reason.continueAuthentication, authMethod)
}

async function renew(connection: Connection, token: Buffer): Promise<void> {
  const login = await renewLogin(connection, token.toString('latin1'))
  if (connection.closed) return
  if (login.ok) connection.sendAuth(Reason.success, connection.authMethod!)
  else if (login.refusal === 'unavailable')
    void connection.finish({ reason: Reason.unspecified, why: 'logins are not possible right now' })
  else void connection.finish({ reason: Reason.notAuthorized, why: 'not authorized' })
}

function requireStep({ method, reason }: Auth, expected: string, step: number): void {
  if (method !== expected)
    throw new ProtocolError(Reason.protocolError, `AUTH with another method than CONNECT, ${expected} [MQTT5-4.12.1-1]`)
  if (reason !== step) throw new ProtocolError(Reason.protocolError, `AUTH with reason code ${reason}, not ${step}`)
}
