/** The steps of CONNECT that find out who the client is. */
import { isTokenOrKey } from '../auth/authenticator.js'
import { type LoginRefusal, REFUSED_BY_HOOK } from '../auth/principal.js'
import type { ConnectPacket } from './codec/packets.js'
import { Reason } from './codec/reason-codes.js'
import type { ConnectContext } from './connect-context.js'
import { ConnectRefused } from './connect-refused.js'
import { tokenOf } from './enhanced-authentication.js'
import { asOfLastChange } from './renewal.js'

/** A client with a token waits for admission first: checking a token is cheap. */
export function admitToken(context: ConnectContext): Promise<void> | undefined {
  return showsToken(context.packet) ? admit(context) : undefined
}

/** A client with a password waits for admission after the hash, which has a queue of its own. */
export function admitPassword(context: ConnectContext): Promise<void> | undefined {
  return context.admitted ? undefined : admit(context)
}

function showsToken(packet: ConnectPacket): boolean {
  return tokenOf(packet) !== null || isTokenOrKey(packet.password?.toString('latin1') ?? '')
}

/** Resolves when the connection is admitted. The connect timeout does not run meanwhile. */
async function admit(context: ConnectContext): Promise<void> {
  const waiting = context.connection.services.admission.enter()
  if (waiting) await untimed(context, waiting)
  context.admitted = true
}

/** Waits for a queue, without the connect timeout. */
async function untimed<T>({ connection }: ConnectContext, work: Promise<T>): Promise<T> {
  connection.keepAlive.stop()
  const outcome = await work
  if (!connection.closed) connection.keepAlive.watch(connection.services.connectTimeout)
  return outcome
}

export async function authenticate(context: ConnectContext): Promise<void> {
  const { connection, packet, clientId } = context
  const { authenticator, registry } = connection.services
  context.changes = registry.changes
  const { remoteAddress: address = '', certificate } = connection.conn
  const { username, password } = packet
  const given = { username, clientId, address, certificate, door: 'mqtt' } as const
  // With an authentication method only the token counts; a password is ignored.
  const token = tokenOf(packet)
  const login =
    token === null
      ? await untimed(context, authenticator.login({ ...given, password }))
      : await authenticator.loginByToken({ ...given, token })
  if (!login.ok)
    throw refusedLogin(
      token !== null && login.refusal === 'bad_credentials' ? 'not_authorized' : login.refusal,
      login.retryAfter,
    )
  const shown = token === null ? password : Buffer.from(token, 'latin1')
  await requireHook(context, { username, password: shown }, login.principal.user)
  context.principal = login.principal
}

async function requireHook(
  { connection, clientId }: ConnectContext,
  shown: Pick<ConnectPacket, 'username' | 'password'>,
  user: string,
): Promise<void> {
  try {
    await connection.broker.gates.authenticate(connection, shown, `${user}/${clientId}`)
  } catch (error) {
    const { remoteAddress: address = '' } = connection.conn
    connection.services.refusedLogin({ user, address, door: 'mqtt', reason: 'not_authorized', why: REFUSED_BY_HOOK })
    throw error
  }
}

function refusedLogin(refusal: LoginRefusal, retryAfter: number | undefined): ConnectRefused {
  switch (refusal) {
    case 'bad_credentials':
      return new ConnectRefused(4, Reason.badUserNameOrPassword, 'bad user name or password')
    case 'suspended':
      return new ConnectRefused(5, Reason.banned, 'this account is suspended')
    case 'not_authorized':
      return new ConnectRefused(5, Reason.notAuthorized, 'not authorized')
    case 'throttled':
      return new ConnectRefused(3, Reason.connectionRateExceeded, 'too many failed logins', { retryAfter })
    case 'unavailable':
      return new ConnectRefused(3, Reason.serverUnavailable, 'logins are not possible right now')
  }
}

/** A logout or a change of roles after the login was checked, and before the session is registered, counts too. */
export async function recheckLogin(context: ConnectContext): Promise<void> {
  const current = await asOfLastChange(context.connection.services, context.principal, context.changes)
  if (!current) throw new ConnectRefused(5, Reason.notAuthorized, 'not authorized')
  context.principal = current
}
