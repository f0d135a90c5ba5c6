import type { SESSION_COMMANDS } from '../../../schemas/commands/sessions.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Logins } from '../../auth/logins.js'
import { requireValid } from '../../auth/validity.js'
import { sinceOfClaim } from '../../store/session-owners.js'
import type { SessionRecord } from '../../store/sessions.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser, whose } from '../model/actor.js'
import { type EndSessions, endAfterAnswer, isOwn, type SessionEnding } from '../model/session-endings.js'
import type { Handlers } from './table.js'

/** A session whose client is connected. */
export interface LiveSession {
  readonly record: SessionRecord
  readonly via: 'mqtt' | 'websocket'
  readonly protocol: '3.1' | '3.1.1' | '5.0'
  readonly address: string
}

export interface SessionCommandDeps {
  readonly store: Store
  readonly end: EndSessions
  readonly logins: Pick<Logins, 'end' | 'endOthers'>
  readonly liveSessions: (user: string) => readonly LiveSession[]
}

export function sessionCommands(deps: SessionCommandDeps): Handlers<keyof typeof SESSION_COMMANDS> {
  const { store, logins, liveSessions } = deps
  return {
    'sessions.list': async (actor, { user, after = '', limit = 100 }) => {
      const from = whose(actor, user, 'sessions')
      const live = new Map(liveSessions(from).map((session) => [session.record.id, session]))
      const all = new Map((await recordsOf(deps, from)).map((record) => [record.clientId, record]))
      const page = [...all.values()].filter(({ clientId }) => clientId > after).sort(byClientId)
      const isServed = ({ id }: SessionRecord): boolean => live.has(id) || store.sessionOwners.owner(id) !== undefined
      const sessions = page.slice(0, limit).map((record) => shown(actor, record, live.get(record.id), isServed(record)))
      return JSON.stringify({ sessions, more: page.length > limit })
    },
    'sessions.end': async (actor, { user, session }) => {
      const from = whose(actor, user, 'sessions')
      const record = (await recordsOf(deps, from)).findLast(({ clientId }) => clientId === session)
      if (!record)
        throw new Refusal('not_found', `there is no session ${JSON.stringify(session)}`, { field: 'session' })
      if (record.login) await logins.end(from, record.login)
      endAfterAnswer(deps.end, { user: from, deleteState: true, session: record.id })
      return '{}'
    },
    'sessions.endOthers': async (actor) => {
      const user = requireUser(actor)
      const { principal } = actor
      const own = ownOf(actor)
      // A session whose login has just been ended is still connected for a moment: it must not end those that ended it.
      await logins.endOthers(user, own.login, ({ directory }) => requireValid(directory, principal, Date.now()))
      endAfterAnswer(deps.end, { user, deleteState: true, others: own })
      return '{}'
    },
  }
}

function ownOf({ sessionId, principal }: Actor): NonNullable<SessionEnding['others']> {
  return { session: sessionId, login: principal.login ?? null }
}

/** Of all sessions; the last one of a client id is the best known. */
async function recordsOf({ store, liveSessions }: SessionCommandDeps, user: string): Promise<SessionRecord[]> {
  const elsewhere = [...store.sessionOwners.ofUser(user)].map(([clientId, claim]) => ({
    ...{ id: `${user}/${clientId}`, user, clientId, createdAt: sinceOfClaim(claim), disconnectedAt: 0, expiry: 0 },
  }))
  const stored = await store.sessions.ofUser(user)
  return [...elsewhere, ...stored, ...liveSessions(user).map(({ record }) => record)]
}

function shown(actor: Actor, record: SessionRecord, live: LiveSession | undefined, isServed: boolean) {
  return {
    session: record.clientId,
    id: record.clientId,
    connected: isServed,
    current: record.id === actor.sessionId,
    sameLogin: isOwn(ownOf(actor), record),
    since: record.createdAt,
    lastSeen: isServed ? null : record.disconnectedAt || null,
    via: live?.via ?? null,
    protocol: live?.protocol ?? null,
    address: live?.address ?? null,
  }
}

function byClientId(a: SessionRecord, b: SessionRecord): number {
  return a.clientId < b.clientId ? -1 : 1
}
