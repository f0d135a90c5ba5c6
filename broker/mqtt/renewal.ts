/** Renews a live login with another token of the same user: re-authentication of MQTT 5, or the request `auth.refresh`. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '../../schemas/errors.js'
import { type Login as Outcome, type Principal, sameRoles } from '../auth/principal.js'
import type { Subscription } from '../following/subscription.js'
import { commit } from '../store/commit.js'
import type { AccountVersion } from '../store/users.js'
import { Reason } from './codec/reason-codes.js'
import { ConnectRefused } from './connect-refused.js'
import type { ConnectedClient } from './connected-client.js'
import type { MqttServices } from './services.js'
import { unsubscribe } from './subscribe.js'
import { isStillAllowed } from './subscription-check.js'
import { willWhileConnected } from './wills.js'

/** Ms for which the end of a login waits for answers. */
const MOST_WAITING = 500

/** From here on every check uses the new token's expiry and roles. A refused token changes nothing. */
export async function renewLogin(client: ConnectedClient, token: string): Promise<Outcome> {
  const { id, services, actor } = client
  const { user } = actor.principal
  const outcome = await verify(client, token)
  if (!outcome.ok) {
    services.counters.add(`renewal.${outcome.refusal}`)
    services.refusals.note('renewal of a login refused', id, { client: id, user, why: outcome.detail })
    return outcome
  }
  if (client.closed) return outcome
  const { roles } = actor.principal
  actor.principal = outcome.principal
  client.record.login = outcome.principal.login ?? null
  client.connection.keepAlive.watch()
  await rightsChanged(client, roles)
  return outcome
}

/**
 * Everything issued to the user was revoked; this client stays, as it has just shown the password, with the login that it is given. Its key, if
 * it came with one, is still good.
 */
export async function keepLogin(client: ConnectedClient, account: AccountVersion, login: string): Promise<void> {
  const { actor, record } = client
  const { roles, byKey } = actor.principal
  actor.principal = { ...actor.principal, account, issuedAt: Date.now(), ...(byKey ? {} : { login }) }
  record.login = actor.principal.login ?? null
  await rightsChanged(client, roles)
}

/** The account changed: a login that is not valid any more ends, and roles that come from the account follow. */
export async function followAccount(client: ConnectedClient): Promise<void> {
  const { services, actor } = client
  while (!client.closed) {
    const before = actor.principal
    const rechecking = services.authenticator.revalidate(before)
    actor.rechecking = rechecking
    const principal = await rechecking
    // The login was renewed meanwhile, or its roles changed again.
    if (client.closed || actor.principal !== before) continue
    if (!principal) {
      await Promise.race([isAnswered(client), sleep(MOST_WAITING, undefined, { ref: false })])
      if (actor.principal !== before) continue
      // No will is published for a login that was ended.
      client.will = null
      return client.finish({ reason: Reason.administrativeAction, why: 'logged out' })
    }
    actor.principal = principal
    return rightsChanged(client, before.roles)
  }
}

/** Resolves when what the client asked for is answered: that may have ended its login, or renewed it. */
async function isAnswered({ entering, lane }: ConnectedClient): Promise<void> {
  await entering
  await nextTurn()
  await lane.idle()
}

/** Checks a principal again if rights changed since `seen` (`registry.changes` at the first check); null: it is no longer valid. */
export async function asOfLastChange(
  { registry, authenticator }: Pick<MqttServices, 'registry' | 'authenticator'>,
  principal: Principal,
  seen: number,
): Promise<Principal | null> {
  let current: Principal | null = principal
  for (let changes = seen; current && changes !== registry.changes; ) {
    changes = registry.changes
    current = await authenticator.revalidate(principal)
  }
  return current
}

/** The principal was replaced; `roles`: of the one before. The stored will gets the new rights. */
async function rightsChanged(client: ConnectedClient, roles: ReadonlySet<string>): Promise<void> {
  const { actor, services } = client
  if (!sameRoles(roles, actor.principal.roles)) await applyRoles(client)
  if (!client.will || client.closed) return
  await commit(client.writer, {
    ops: [
      services.store.persistence.putWillOp(client, willWhileConnected(client.will, actor.principal, client.record)),
    ],
  })
}

async function verify(client: ConnectedClient, token: string): Promise<Outcome> {
  const { services, connection } = client
  const { principal, clientId } = client.actor
  const { remoteAddress: address = '', certificate } = connection.conn
  const given = { username: principal.user, token, clientId, address, certificate, door: 'mqtt' as const }
  const { changes } = services.registry
  const outcome = await services.authenticator.renew(given)
  if (!outcome.ok) return outcome
  try {
    const asked = { username: given.username, password: Buffer.from(token, 'latin1') }
    await client.broker.gates.authenticate(connection, asked, client.id)
    const current = await asOfLastChange(services, outcome.principal, changes)
    if (!current) return { ok: false, refusal: 'not_authorized', detail: 'the login behind the token has ended' }
    return { ok: true, principal: current }
  } catch (error) {
    if (!(error instanceof ConnectRefused)) throw error
    return { ok: false, refusal: 'not_authorized', detail: error.message }
  }
}

/** The request `auth.refresh`: renews the login of the session that asks. */
export async function refreshLogin(client: ConnectedClient | null, token: string): Promise<Principal> {
  if (!client) throw new Refusal('unauthorized', 'there is no live login to renew')
  const outcome = await renewLogin(client, token)
  if (outcome.ok) return outcome.principal
  switch (outcome.refusal) {
    case 'throttled':
      throw new Refusal('rate_limited', 'too many tokens were refused; try again later', {
        retryAfter: outcome.retryAfter,
      })
    case 'unavailable':
      throw new Refusal('unavailable', 'logins are not possible right now')
    default:
      throw new Refusal('unauthorized', 'the token was refused', { field: 'token' })
  }
}

/** `acl.rules` changed: subscriptions that they no longer allow end. Hooks are not asked again: they do not depend on the rules. */
export async function followRules(client: ConnectedClient): Promise<void> {
  if (!client.closed) await giveUp(client, dropRefused(client))
}

/** Subscriptions that the current roles do not allow end, as if the client had unsubscribed. */
async function applyRoles(client: ConnectedClient): Promise<void> {
  const { session, broker, connection, actor } = client
  const all = [...session.subscriptions.values()]
  // All at once, before hooks are asked: no message may be delivered meanwhile.
  const refused = dropRefused(client)
  for (const subscription of all)
    if ((await broker.gates.subscribe(connection, actor, subscription)) instanceof Refusal) refused.add(subscription)
  await giveUp(client, refused)
}

/** Returns the subscriptions that are no longer allowed, and drops waiting messages that may not be delivered any more. */
function dropRefused({ services, actor, session }: ConnectedClient): Set<Subscription> {
  const refused = [...session.subscriptions.values()].filter((one) => !isStillAllowed(services, actor, one))
  session.dropForbidden()
  return new Set(refused)
}

async function giveUp(client: ConnectedClient, refused: Iterable<Subscription>): Promise<void> {
  const { session } = client
  const filters = [...refused].map(({ filter }) => filter).filter((filter) => session.subscriptions.has(filter))
  if (client.closed || filters.length === 0) return
  await unsubscribe(client, { type: 'unsubscribe', packetId: 0, filters, properties: {} })
}
