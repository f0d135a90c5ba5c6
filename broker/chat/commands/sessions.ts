import type { SESSION_COMMANDS } from '../../../schemas/commands/sessions.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Logins } from '../../auth/logins.js'
import type { SessionRecord } from '../../store/sessions.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireAdmin, requireUser } from '../model/actor.js'
import { type EndSessions, endAfterAnswer } from '../model/session-endings.js'
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
  readonly logins: Pick<Logins, 'end'>
  readonly liveSessions: (user: string) => readonly LiveSession[]
}

export function sessionCommands(deps: SessionCommandDeps): Handlers<keyof typeof SESSION_COMMANDS> {
  const { store, logins, liveSessions } = deps
  return {
    'sessions.list': async (actor, { user, after = '', limit = 100 }) => {
      const whose = whoseSessions(actor, user)
      const live = new Map(liveSessions(whose).map((session) => [session.record.id, session]))
      const all = new Map((await store.sessions.ofUser(whose)).map((record) => [record.clientId, record]))
      for (const { record } of live.values()) all.set(record.clientId, record)
      const page = [...all.values()].filter(({ clientId }) => clientId > after).sort(byClientId)
      const sessions = page.slice(0, limit).map((record) => shown(actor, record, live.get(record.id)))
      return JSON.stringify({ sessions, more: page.length > limit })
    },
    'sessions.end': async (actor, { user, session }) => {
      const whose = whoseSessions(actor, user)
      const records = [...liveSessions(whose).map(({ record }) => record), ...(await store.sessions.ofUser(whose))]
      const record = records.find(({ clientId }) => clientId === session)
      if (!record)
        throw new Refusal('not_found', `there is no session ${JSON.stringify(session)}`, { field: 'session' })
      if (record.login) await logins.end(whose, record.login)
      endAfterAnswer(deps.end, { user: whose, deleteState: true, session: record.id })
      return '{}'
    },
  }
}

function whoseSessions(actor: Actor, user: string | undefined): string {
  const me = requireUser(actor)
  if (user === undefined || user === me) return me
  requireAdmin(actor, 'the sessions of others are for admins')
  return user
}

function shown(actor: Actor, record: SessionRecord, live: LiveSession | undefined) {
  return {
    session: record.clientId,
    id: record.clientId,
    connected: live !== undefined,
    current: record.id === actor.sessionId,
    since: record.createdAt,
    lastSeen: live ? null : record.disconnectedAt || null,
    via: live?.via ?? null,
    protocol: live?.protocol ?? null,
    address: live?.address ?? null,
  }
}

function byClientId(a: SessionRecord, b: SessionRecord): number {
  return a.clientId < b.clientId ? -1 : 1
}
