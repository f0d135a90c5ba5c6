/** The steps of CONNECT that find out who the client is. */
import { isTokenOrKey } from '../auth/authenticator.js'
import { type LoginRefusal, REFUSED_BY_HOOK } from '../auth/principal.js'
import { tokenOf } from './authentication.js'
import type { Connect } from './codec/packets.js'
import { Reason } from './codec/reason-codes.js'
import type { ConnectContext } from './connect-context.js'
import { ConnectRefused } from './endings.js'
import { asOfLastChange } from './renewal.js'

/** Checking a token costs little: it waits for its turn among the logins first. */
export function admitToken(context: ConnectContext): Promise<void> | undefined {
  return showsToken(context.packet) ? admit(context) : undefined
}

/** A password has to wait for its hash, in a queue of its own: it takes its place among the others when that is known. */
export function admitPassword(context: ConnectContext): Promise<void> | undefined {
  return context.admitted ? undefined : admit(context)
}

function showsToken(packet: Connect): boolean {
  return tokenOf(packet) !== null || isTokenOrKey(packet.password?.toString('latin1') ?? '')
}

/** Resolves when it is the connection's turn. Its time to show who it is does not run out meanwhile. */
async function admit(context: ConnectContext): Promise<void> {
  const waiting = context.connection.services.admission.enter()
  if (waiting) await untimed(context, waiting)
  context.admitted = true
}

/** Waits for what others have to be done with before. */
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
  // By method the token is all that counts: a password beside it is not looked at.
  const token = tokenOf(packet)
  const login =
    token === null
      ? await untimed(context, authenticator.login({ ...given, password }))
      : await authenticator.loginByToken({ ...given, token })
  if (!login.ok)
    throw refusedLogin(token !== null && login.refusal === 'bad_credentials' ? 'not_authorized' : login.refusal)
  const shown = token === null ? password : Buffer.from(token, 'latin1')
  await requireHook(context, { username, password: shown }, login.principal.user)
  context.principal = login.principal
}

async function requireHook(
  { connection, clientId }: ConnectContext,
  shown: Pick<Connect, 'username' | 'password'>,
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

function refusedLogin(refusal: LoginRefusal): ConnectRefused {
  switch (refusal) {
    case 'bad_credentials':
      return new ConnectRefused(4, Reason.badUserNameOrPassword, 'bad user name or password')
    case 'suspended':
      return new ConnectRefused(5, Reason.banned, 'this account is suspended')
    case 'not_authorized':
      return new ConnectRefused(5, Reason.notAuthorized, 'not authorized')
    case 'throttled':
      return new ConnectRefused(3, Reason.connectionRateExceeded, 'too many failed logins')
    case 'unavailable':
      return new ConnectRefused(3, Reason.serverUnavailable, 'logins are not possible right now')
  }
}

/** A logout that came after the login was checked, and before anyone can see the session, ends it too; other roles are those it has. */
export async function requireStanding(context: ConnectContext): Promise<void> {
  const standing = await asOfLastChange(context.connection.services, context.principal, context.changes)
  if (!standing) throw new ConnectRefused(5, Reason.notAuthorized, 'not authorized')
  context.principal = standing
}
