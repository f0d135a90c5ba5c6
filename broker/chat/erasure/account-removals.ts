/**
 * Erases the data of deleted accounts in the background, page by page, each in a commit of its own. A record marks the account until all is
 * erased, so that a crash at any moment only means starting again.
 */

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { directMembers, SYSTEM } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import { requireSameAccount } from '../../auth/account-version.js'
import type { Accounts, Allow } from '../../auth/accounts.js'
import type { RemovalRecord } from '../../store/accounts.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import { dropLog, type Op } from '../../store/op.js'
import { personBehind } from '../../store/persons.js'
import { retainOp } from '../../store/queue-ops.js'
import type { RoomRecords } from '../../store/rooms.js'
import { logsSettled, queuesSettled } from '../../store/settled.js'
import type { Store } from '../../store/store.js'
import { roomsWithMessagesOf } from '../../store/touched-rooms.js'
import { FairQueue } from '../../util/fair-queue.js'
import type { Actor } from '../model/actor.js'
import type { SessionEnding } from '../model/session-endings.js'
import { logs } from '../model/views.js'
import type { Presence } from '../presence/presence.js'
import type { Members } from '../rooms/members.js'
import { roomDeletionOps } from '../rooms/room-deletion.js'
import type { RoomErasure } from './room-erasure.js'
import type { UserErasure } from './user-erasure.js'

/** Milliseconds for which the caller waits for the erasure. */
const MAX_WAIT = 10_000
/** Milliseconds until a failed erasure is tried again. */
const RETRY = 60_000

export interface AccountRemovalsDeps {
  readonly store: Store
  readonly accounts: Pick<Accounts, 'remove'>
  readonly members: Pick<Members, 'removeUser'>
  readonly presence: Pick<Presence, 'removeUser'>
  readonly roomErasure: Pick<RoomErasure, 'messages' | 'events'>
  readonly userErasure: Pick<UserErasure, 'erase'>
  /** Ends sessions of a user and deletes their state. */
  readonly endSessions: (ending: SessionEnding) => Promise<void>
  readonly failed: (error: unknown) => void
}

class ClosingError extends Error {}

export class AccountRemovals {
  readonly #deps: AccountRemovalsDeps
  /** One erasure at a time, round robin between persons, so that one who deletes hundreds of bots does not delay others. */
  readonly #queue = new FairQueue()
  #closing = false
  #retry: NodeJS.Timeout | undefined

  constructor(deps: AccountRemovalsDeps) {
    this.#deps = deps
  }

  /** Continues unfinished erasures. */
  async resume(): Promise<void> {
    for await (const { user, person = user } of this.#deps.store.accounts.removals()) void this.run(user, person)
  }

  /** Deletes an account and waits a limited time for the erasure. `erased`: whether it is complete. */
  async remove(user: string, messages: 'erased' | 'kept' = 'erased', allow?: Allow): Promise<{ erased: boolean }> {
    const person = this.#personBehind(user)
    const gone = await this.#deps.accounts.remove(user, messages, allow)
    const abort = new AbortController()
    const erased = await Promise.race([
      this.#runAll(gone, person),
      sleep(MAX_WAIT, false, { signal: abort.signal }).catch(() => false),
    ])
    abort.abort()
    return { erased }
  }

  /** Deletes the actor's own account. The erasure begins with its sessions, which end after the answer (`endAfterAnswer`). */
  async removeSelf({ principal }: Actor): Promise<void> {
    const { user } = principal
    const person = this.#personBehind(user)
    const allow: Allow = async ({ directory }) => void (await requireSameAccount(directory, principal))
    const gone = await this.#deps.accounts.remove(user, 'erased', allow)
    setImmediate(() => void this.#runAll(gone, person))
  }

  #personBehind(user: string): string {
    return personBehind(this.#deps.store.directory, user)
  }

  async #runAll(users: readonly string[], person: string): Promise<boolean> {
    return (await Promise.all(users.map((user) => this.run(user, person)))).every((done) => done)
  }

  /**
   * Erases what the user's record asks for. Resolves with true when it is complete, with false if it is put off. `person`: key in the
   * queue.
   */
  run(user: string, person: string): Promise<boolean> {
    return this.#queue.run(person, async () => {
      try {
        const record = await this.#deps.store.accounts.removal(user)
        if (record && !this.#closing) await this.#erase(record)
        return !this.#closing
      } catch (error) {
        if (!(error instanceof ClosingError)) this.#retryLater(error)
        return false
      }
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#retry)
    await this.#queue.idle()
  }

  #retryLater(error: unknown): void {
    const { failed } = this.#deps
    failed(error)
    clearTimeout(this.#retry)
    if (this.#closing) return
    this.#retry = setTimeout(() => this.resume().catch(failed), RETRY).unref()
  }

  async #erase(record: RemovalRecord): Promise<void> {
    const { user, rooms } = record
    const { presence } = this.#deps
    await this.#endSessions(user, rooms ?? [])
    if (rooms) {
      await this.#eraseRooms(user, rooms)
      await this.#deps.userErasure.erase(user, () => this.#pause())
    }
    await this.#deps.members.removeUser(user)
    await this.#dropRetained(user)
    await presence.removeUser(user)
    await this.#end(record)
  }

  /** The logs of the user go with the record of the removal: who takes the name from then on begins with nothing, whoever else erases too. */
  async #end({ user, at }: RemovalRecord): Promise<void> {
    await this.#deps.store.transact(user, async ({ accounts }) => {
      if ((await accounts.removal(user))?.at !== at) return { value: null }
      const own = [logs.userEvents(user), logs.notifications(user), logs.deviceCommands(user)]
      return { ops: [...own.map(dropLog), accounts.deleteRemovalOp(user)], value: null }
    })
  }

  async #eraseRooms(user: string, rooms: readonly string[]): Promise<void> {
    const progress = new Map<string, number>()
    // A pass over new entries finds what was in flight when the sessions ended.
    for (let erased = true; erased; ) {
      const all = new Set([...rooms, ...roomsWithMessagesOf(this.#deps.store.directory, user)])
      await this.#deps.members.removeUser(user)
      erased = false
      for (const room of all) if (await this.#eraseRoom(user, room, progress)) erased = true
    }
    await this.#anonymiseRecords(user)
    await this.#dropConversations(user, rooms)
  }

  async #endSessions(user: string, rooms: readonly string[]): Promise<void> {
    const { store, endSessions } = this.#deps
    const kept = await store.sessions.ofUser(user)
    await endSessions({ user, deleteState: true, afterAcks: true })
    for (const { id } of kept) await store.persistence.delWill({ id })
    // What was under way over HTTP has to be there to be found.
    await logsSettled(store, [...rooms.map(logs.messages), ...rooms.map(logs.roomEvents)])
    await queuesSettled(store)
  }

  /** `progress`: position of the last pass in each log. */
  async #eraseRoom(user: string, room: string, progress: Map<string, number>): Promise<boolean> {
    const { store, roomErasure } = this.#deps
    let erased = false
    for (const what of ['messages', 'events'] as const)
      while (store.directory.room(room)) {
        await this.#pause()
        const log = `${what} ${room}`
        const page = await roomErasure[what](user, room, progress.get(log) ?? 0)
        if (page.next === null) break
        progress.set(log, page.next)
        erased ||= page.erased
      }
    return erased
  }

  /** Rooms, invitations, links and sanctions stay, without the name of their creator. */
  async #anonymiseRecords(user: string): Promise<void> {
    const { store } = this.#deps
    for (const { id } of [...store.directory.rooms()]) {
      await this.#pause()
      if (anonymiseOps(store.directory, store.directory, id, user).length > 0)
        await store.transact(id, ({ directory }) => ({
          ops: anonymiseOps(directory, store.directory, id, user),
          value: undefined,
        }))
    }
  }

  /** Deletes conversations whose other member is gone too. */
  async #dropConversations(user: string, rooms: readonly string[]): Promise<void> {
    const { store } = this.#deps
    for (const room of rooms) {
      if (!directMembers(room)?.includes(user)) continue
      await store.transact(room, ({ directory }) => {
        const isEmpty = directory.members(room).size === 0
        return { ops: isEmpty ? roomDeletionOps(directory, room) : [], value: null }
      })
    }
  }

  /** Deletes what the user's devices retain, and what the user retained elsewhere. */
  async #dropRetained(user: string): Promise<void> {
    const { store } = this.#deps
    // All retained messages are read only if the user retained any.
    const filters = store.queue.retainedBy(user).messages > 0 ? ['#', topics.allDevices()] : [topics.device(user, '#')]
    for await (const { topic, clientId } of store.queue.retained(filters)) {
      if (!topic.startsWith(topics.deviceOf(user)) && !clientId?.startsWith(`${user}/`)) continue
      const cleared = { topic, payload: Buffer.alloc(0), qos: 0, retain: true, clientId: null } as const
      await commit(store, { ops: [retainOp(cleared)] })
    }
  }

  /** Yields to the event loop; throws once the broker closes. */
  async #pause(): Promise<void> {
    await nextTurn()
    if (this.#closing) throw new ClosingError()
  }
}

/** `unguarded`: where records made by the user are looked for; those found are read again. */
function anonymiseOps(directory: DirectoryStore, unguarded: DirectoryStore, room: string, user: string): Op[] {
  const record = directory.room(room)
  if (!record) return []
  const by = SYSTEM
  const invites = [...unguarded.invites(room).values()]
    .filter((invite) => invite.by === user)
    .flatMap((invite) => directory.invite(room, invite.user) ?? [])
    .filter((invite) => invite.by === user)
  return [
    ...(record.createdBy === user ? [directory.roomOp({ ...record, createdBy: by })] : []),
    ...invites.map((invite) => directory.inviteOp({ ...invite, by })),
    ...renamedOps(directory.bans, unguarded.bans, room, user),
    ...renamedOps(directory.mutes, unguarded.mutes, room, user),
    ...renamedOps(directory.links, unguarded.links, room, user),
  ]
}

function renamedOps<T extends { readonly by: string }>(
  records: RoomRecords<T>,
  unguarded: RoomRecords<T>,
  room: string,
  user: string,
): Op[] {
  return [...unguarded.of(room)]
    .filter(([, { by }]) => by === user)
    .flatMap(([name]) => records.get(room, name) ?? [])
    .filter(({ by }) => by === user)
    .map((record) => records.putOp({ ...record, by: SYSTEM }))
}
