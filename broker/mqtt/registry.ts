/** The connected clients by user; applies changes of membership, replies, logouts, changes of accounts and rules to them. */
import { setImmediate as turn } from 'node:timers/promises'
import { parseFilter, topics } from '../../schemas/topics.js'
import type { LiveSession } from '../chat/commands/sessions.js'
import type { AnswerTo } from '../chat/model/actor.js'
import { isOwn, type SessionEnding } from '../chat/model/session-endings.js'
import type { Signal } from '../chat/model/signals.js'
import { roomCursors } from '../chat/model/views.js'
import { dropCursorOps, type FeedSet } from '../following/feed-set.js'
import type { MembershipChange } from '../following/membership-change.js'
import { type Hub, type UnloggedMessage, unlogged } from '../hub.js'
import type { Lane } from '../store/lane.js'
import type { Op } from '../store/op.js'
import type { SessionRecord } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import { KeyCounts } from '../util/key-counts.js'
import type { AnonymousSessions } from './anonymous-sessions.js'
import type { Claims } from './claims.js'
import type { CloseReason } from './close-reason.js'
import type { Will } from './codec/packets.js'
import { Reason } from './codec/reason-codes.js'
import { correlation } from './message-properties.js'
import type { Session } from './session.js'
import type { SessionWriter } from './session-writer.js'
import type { SharedSubscriptions } from './shared/groups.js'

/** Milliseconds of work on many sessions before yielding to the event loop. */
const SLICE = 10

type Reply = Signal & { readonly kind: 'reply' }

/** What the registry asks of the connection of a client. */
export interface LiveConnection {
  finish(ending: CloseReason): Promise<void>
  /** The account may have changed: whether the login is valid, and its roles. */
  followAccount(): Promise<void>
  /** `acl.rules` changed. */
  followRules(): Promise<void>
}

/** A client that is logged in. */
export interface LiveClient {
  readonly connection: LiveConnection
  readonly session: Session
  readonly feedSet: FeedSet
  readonly record: SessionRecord
  readonly lane: Pick<Lane, 'idle'>
  /** Null: there is none, or it will not be published. */
  will: Will | null
  hasStoredWill: boolean
  /** What is stored of its session. `lost`: others removed it, or have it. */
  stored: 'no' | 'yes' | 'lost'
  sessionLost(): void
  describe(): LiveSession
}

export interface RegistryDeps {
  readonly hub: Hub
  readonly store: Store
  readonly sessionWriter: SessionWriter
  readonly shares: SharedSubscriptions
  /** Null: a single node has the store. */
  readonly claims: Pick<Claims, 'isElsewhere' | 'endElsewhere'> | null
  readonly anonymousSessions: Pick<AnonymousSessions, 'release'>
  /** The person a user counts for. */
  readonly personBehind: (user: string) => string
  /** A person, and all who act for them. */
  readonly namesOf: (person: string) => Iterable<string>
  readonly failed: (error: unknown) => void
}

export class Registry {
  readonly #hub: Hub
  readonly #store: Store
  readonly #sessionWriter: SessionWriter
  readonly #shares: SharedSubscriptions
  readonly #claims: RegistryDeps['claims']
  readonly #anonymousSessions: Pick<AnonymousSessions, 'release'>
  readonly #failed: (error: unknown) => void
  readonly #byUser = new Map<string, Map<Session, LiveClient>>()
  readonly #personBehind: (user: string) => string
  readonly #namesOf: (person: string) => Iterable<string>
  /** The person each session counts for, and how many count for each: kept, because the owner of a bot or device may change. */
  readonly #countedFor = new Map<Session, string>()
  readonly #counts = new KeyCounts()
  /** Number of logouts and changes of accounts and rules: a check made at another number has to be repeated. */
  changes = 0

  constructor(deps: RegistryDeps) {
    this.#hub = deps.hub
    this.#store = deps.store
    this.#sessionWriter = deps.sessionWriter
    this.#shares = deps.shares
    this.#claims = deps.claims
    this.#anonymousSessions = deps.anonymousSessions
    this.#personBehind = deps.personBehind
    this.#namesOf = deps.namesOf
    this.#failed = deps.failed
  }

  add(client: LiveClient): void {
    const { session } = client
    let mine = this.#byUser.get(session.user)
    if (!mine) this.#byUser.set(session.user, (mine = new Map()))
    mine.set(session, client)
    const person = this.#personBehind(session.user)
    this.#countedFor.set(session, person)
    this.#counts.add(person)
  }

  /** What is in memory is known to be up to date again. */
  resume(): void {
    for (const mine of this.#byUser.values()) for (const session of mine.keys()) session.pump()
  }

  remove(session: Session): void {
    const mine = this.#byUser.get(session.user)
    mine?.delete(session)
    if (mine?.size === 0) this.#byUser.delete(session.user)
    const person = this.#countedFor.get(session)
    if (person === undefined) return
    this.#countedFor.delete(session)
    this.#counts.remove(person)
  }

  /** How many live sessions count for the person behind a user, on all nodes. */
  countOf(user: string): number {
    const person = this.#personBehind(user)
    return this.#counts.get(person) + this.#countElsewhere(person)
  }

  #countElsewhere(person: string): number {
    if (!this.#claims) return 0
    let count = 0
    for (const name of this.#namesOf(person))
      for (const owner of this.#store.sessionOwners.ofUser(name).values()) if (this.#claims.isElsewhere(owner)) count++
    return count
  }

  /** How many logs and topics the live sessions and groups of the person behind a user follow. */
  followedBy(user: string): number {
    let followed = 0
    for (const name of this.#namesOf(this.#personBehind(user))) {
      for (const session of this.#byUser.get(name)?.keys() ?? []) followed += session.followed
      followed += this.#shares.followedBy(name)
    }
    return followed
  }

  /** Returns whether the asking session takes the reply. If not, it is for the user's sessions that subscribe to replies (DESIGN §2, Results). */
  reply({ user, sessionId, payload, answer }: Reply): boolean {
    const topic = topics.user(user, 'replies')
    const asking = [...(this.#byUser.get(user)?.keys() ?? [])].find(({ id }) => id === sessionId)
    // A response topic is meant for the asking session alone.
    const elsewhere = answer?.topic && answer.topic !== topic ? answer.topic : null
    const message = replyMessage(elsewhere ?? topic, payload, answer)
    if (elsewhere !== null) asking?.answer(message)
    else if (asking && this.#hub.isListening(topic, asking)) this.#hub.send(message, (endpoint) => endpoint === asking)
    else return false
    return true
  }

  replyToAll({ user, payload, answer }: Reply): void {
    this.#hub.send(replyMessage(topics.user(user, 'replies'), payload, answer))
  }

  membership(change: MembershipChange): void {
    const { room, user, member, last } = change
    this.#shares.membership(change)
    for (const { feedSet } of this.#byUser.get(user)?.values() ?? []) {
      if (member) feedSet.roomJoined(room).catch(this.#failed)
      else feedSet.roomLeft(room, last)
    }
    if (!member) this.#forgetRoom(room, user).catch(this.#failed)
  }

  channel(channel: string): void {
    this.#shares.channel(channel)
    for (const mine of this.#byUser.values()) for (const { feedSet } of mine.values()) feedSet.channelAdded(channel)
  }

  async logout(logout: SessionEnding): Promise<void> {
    const { user, deleteState } = logout
    await this.endLive(logout)
    for (const record of await this.#store.sessions.ofUser(user)) {
      if (!concerns(logout, record) || this.#isLive(record)) continue
      // No will is published for a login that was ended.
      await this.#store.persistence.delWill({ id: record.id })
      if (deleteState) await this.#sessionWriter.discard(record.id)
    }
    if (logout.session !== undefined) await this.#claims?.endElsewhere(logout.session)
  }

  /** Ends those that are connected here. */
  async endLive(ending: SessionEnding): Promise<void> {
    this.changes++
    const meant = this.of(ending.user).filter(({ record }) => concerns(ending, record))
    await Promise.all(meant.map((client) => end(client, ending)))
  }

  /**
   * What was stored of a session was removed. If this node did it, no client of the session is left here; if another did, its client is
   * disconnected. The will is whose who removed it.
   */
  async sessionRemoved(id: string): Promise<void> {
    this.#shares.forget(id)
    this.#anonymousSessions.release(id)
    const client = this.of(id.slice(0, id.indexOf('/'))).find(({ session }) => session.id === id)
    if (client) await endRemoved(client)
  }

  /** Connected clients of the user go on if their login is still valid. From here on every check of them uses the current roles. */
  async accountChanged(user: string): Promise<void> {
    this.changes++
    await Promise.all(this.of(user).map(({ connection }) => connection.followAccount()))
  }

  /** Any account may have changed, and any session may have been removed. */
  reloaded(): Promise<void> {
    return this.#changed(async (client) => {
      const { connection, record, stored } = client
      await connection.followAccount()
      if (stored === 'yes' && !(await this.#store.sessions.isKept(record.id))) await endRemoved(client)
    })
  }

  /** Connected clients keep the subscriptions that the current `acl.rules` allow. */
  rulesChanged(): Promise<void> {
    return this.#changed(({ connection }) => connection.followRules())
  }

  /** In slices: there may be many, with many filters. */
  async #changed(follow: (client: LiveClient) => Promise<void>): Promise<void> {
    this.changes++
    let begun = performance.now()
    for (const mine of [...this.#byUser.values()])
      for (const client of [...mine.values()]) {
        follow(client).catch(this.#failed)
        if (performance.now() - begun < SLICE) continue
        await turn()
        begun = performance.now()
      }
  }

  /** Filter bytes of a user's sessions that end with their connection; the store counts those of the others. */
  filterBytesOf(user: string): number {
    let bytes = 0
    for (const { persistent, subscriptions } of this.#byUser.get(user)?.keys() ?? [])
      if (!persistent) bytes += subscriptions.bytes
    return bytes
  }

  /** The connected clients of a user. */
  of(user: string): LiveClient[] {
    return [...(this.#byUser.get(user)?.values() ?? [])]
  }

  /** A client logged in again with the id of a session that was to be removed. */
  #isLive({ user, id }: SessionRecord): boolean {
    return this.of(user).some(({ session }) => session.id === id)
  }

  /**
   * Losing membership removes exact filters and cursors, and keeps wildcards, in every saved session of the user: those that another node serves are
   * left to it.
   */
  async #forgetRoom(room: string, user: string): Promise<void> {
    const found: { readonly id: string; readonly ops: readonly Op[] }[] = []
    for (const { id } of await this.#store.sessions.ofUser(user)) {
      const ops = await this.#forgetOps(id, room)
      if (ops.length > 0) found.push({ id, ops })
    }
    if (found.length === 0) return
    await this.#store.transact(`forget ${user}`, ({ directory, sessionOwners }) => {
      // A user who is a member again by now may have subscribed anew.
      if (directory.member(room, user)) return { value: undefined }
      const mine = found.filter(({ id }) => !this.#claims?.isElsewhere(sessionOwners.owner(id)))
      return { ops: mine.flatMap(({ ops }) => ops), value: undefined }
    })
  }

  async #forgetOps(id: string, room: string): Promise<Op[]> {
    const { sessions } = this.#store
    const saved = await sessions.load(id)
    if (!saved) return []
    const exact = saved.subscriptions.map(({ topic }) => topic).filter((filter) => names(filter, room))
    const cursors = roomCursors(room).filter((cursor) => saved.cursors.has(cursor))
    const dropped = cursors.flatMap((cursor) => dropCursorOps(this.#store, id, cursor))
    return exact.length > 0 ? [...sessions.unsubscribeOps(id, exact), ...dropped] : dropped
  }
}

/** A session that is to be removed ends with its connection, before another can load it. */
async function end(client: LiveClient, { deleteState, afterAcks }: SessionEnding): Promise<void> {
  client.will = null
  if (deleteState) client.record.expiry = 0
  if (afterAcks) await client.lane.idle()
  return client.connection.finish({ reason: Reason.administrativeAction, why: 'logged out' })
}

function replyMessage(topic: string, payload: Buffer, answer: AnswerTo | null): UnloggedMessage {
  return unlogged(topic, payload, 1, { extra: correlation(answer?.correlationData ?? undefined) })
}

function endRemoved(client: LiveClient): Promise<void> {
  client.sessionLost()
  return client.connection.finish({ reason: Reason.administrativeAction, why: 'the session was ended' })
}

function concerns({ session, login, except, others }: SessionEnding, record: SessionRecord): boolean {
  if (record.id === except || (others && isOwn(others, record))) return false
  return (session === undefined || session === record.id) && (login === undefined || login === record.login)
}

function names(filter: string, room: string): boolean {
  const whole = parseFilter(filter)
  const parsed = whole.kind === 'shared' ? whole.of : whole
  return parsed.kind === 'room' && parsed.room === room
}
