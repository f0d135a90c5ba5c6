/**
 * Whose devices are connected, over all nodes, and what of that is stored: a record per user of what is shown of them, and, where nodes share a store,
 * the number of devices that each node has. A user is online while any node has one; the commit that adds the first or removes the last
 * one sets what is shown, so it happens once. Going offline waits for `offlineDelay`. Users of a node that is gone, such as this one
 * before its restart, have `restartGrace` to come back.
 */
import { StoreError } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import { mayServe, type Nodes } from '../../store/nodes.js'
import { type DeviceCount, deviceCount, type PresenceRecord } from '../../store/presence.js'
import type { Store } from '../../store/store.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { areAway, type Device, LocalUser, presenceOps, shownOf } from './presence-decision.js'

/** Milliseconds until what could not be stored is tried again. */
const RETRY_INTERVAL = 1000

export interface AttendanceDeps {
  readonly store: Store
  readonly nodes: Pick<Nodes, 'self' | 'shared' | 'alive' | 'latest' | 'onGone'>
  readonly wheel: TimerWheel
  /** Seconds. */
  readonly options: { readonly offlineDelay: number; readonly restartGrace: number }
  readonly failed: (error: unknown) => void
  /** Whether it may be announced now that the user is away, or no more, because a device came or went; else it is saved later. */
  readonly mayTellAway: (user: string) => boolean
}

/** Told of devices of a single node, which stores none. */
export type DevicesChanged = (user: string, before: number, after: number) => void

export class Attendance {
  readonly #deps: AttendanceDeps
  readonly #changed: DevicesChanged
  /** Those who are connected here, were so a moment ago, or have something to be stored. */
  readonly #users = new Map<string, LocalUser>()
  readonly #unsaved = new Set<LocalUser>()
  readonly #retry: Deadline = { due: () => this.#saveAgain() }
  /** Gone nodes whose users had their time to come back. */
  readonly #over = new Set<number>()

  constructor(deps: AttendanceDeps, changed: DevicesChanged) {
    this.#deps = deps
    this.#changed = changed
  }

  /** Who was online when there was no node yet has the time to come back. */
  begin(): void {
    const { presence } = this.#deps.store.directory
    const left: string[] = []
    for (const { user, online } of presence.all()) if (online && presence.devices(user).size === 0) left.push(user)
    this.#grace(left)
    this.#deps.nodes.onGone(() => this.#grace([]))
  }

  /** Where all that the user had were away, the first that is back is so, too. */
  connected(user: string, device: Device): void {
    const local = this.#local(user)
    const before = local.devices
    const isStillAway = this.devices(user) === 0 && this.#isShownAway(user)
    local.connected(device)
    if (isStillAway) local.setAway(device, true)
    local.isWaiting = false
    this.#deps.wheel.delete(local)
    this.#counted(local, before)
  }

  /** `leaving`: the broker leaves, not the user. */
  disconnected(user: string, device: Device, leaving: boolean): void {
    const local = this.#local(user)
    const before = local.devices
    local.disconnected(device)
    local.lastSeen = Date.now()
    if (local.devices === 0) {
      local.isWaiting = true
      if (!leaving) this.#deps.wheel.set(local, local.lastSeen + this.#deps.options.offlineDelay * 1000)
    }
    this.#counted(local, before)
  }

  /** Stored with the next `save`. Returns whether it changes what is shown. */
  setAway(user: string, device: Device, away: boolean): boolean {
    const local = this.#local(user)
    local.setAway(device, away)
    return this.#turns(local)
  }

  /** What the user wants to be shown. Stored with the next `save`. Returns whether it replaces something that nobody will be shown. */
  set(user: string, wanted: Partial<PresenceRecord>): boolean {
    const local = this.#local(user)
    const replaces = local.wanted !== null && local.wanted !== local.storing
    local.wanted = { ...local.wanted, ...wanted }
    return replaces
  }

  save(user: string): void {
    const local = this.#local(user)
    local.holdsAway = false
    this.#save(local)
  }

  /** Saves what others are not to be told yet. */
  saveHeld(user: string): void {
    const local = this.#local(user)
    local.holdsAway = true
    this.#save(local)
  }

  /** What is wanted of a user and not yet stored is shown already. */
  shown(user: string): PresenceRecord {
    const local = this.#users.get(user)
    const record = shownOf(this.#deps.store.directory.presence.get(user), user, local?.wanted)
    if (!local || local.devices === 0) return record
    const away = local.holdsAway ? record.away : (areAway(this.#counts(local)) ?? record.away)
    return { ...record, online: true, away }
  }

  wants(user: string): boolean {
    const local = this.#users.get(user)
    return local !== undefined && (local.wanted !== null || local.holdsAway)
  }

  /** Devices of the user, on all nodes. */
  devices(user: string): number {
    const stored = this.#deps.store.directory.presence.devices(user)
    const here = stored.get(this.#deps.nodes.self)?.devices ?? 0
    return deviceCount(stored) - here + (this.#users.get(user)?.devices ?? 0)
  }

  /** Devices as of a change that stored so many: what is under way here is told when it is stored. */
  told(user: string, stored: number): number {
    return this.#deps.nodes.shared ? stored : this.devices(user)
  }

  /** Removes a deleted user, who has no connection any more. */
  async remove(user: string): Promise<void> {
    const local = this.#users.get(user)
    if (local) this.#forget(local)
    await commit(this.#deps.store, { ops: this.#deps.store.directory.presence.deleteOps(user) })
  }

  #local(user: string): LocalUser {
    let local = this.#users.get(user)
    if (!local) this.#users.set(user, (local = new LocalUser(user, (waited) => this.#waited(waited))))
    return local
  }

  #counted(local: LocalUser, before: number): void {
    const turns = this.#turns(local)
    local.holdsAway = turns && !this.#deps.mayTellAway(local.user)
    // Whoever is told that the user is away, or no more, is told the number of devices with it.
    if (!this.#deps.nodes.shared && !turns) this.#changed(local.user, before, local.devices)
    this.#save(local)
  }

  /** Whether the user is away now, or no more, and is not shown so. */
  #turns(local: LocalUser): boolean {
    const isAway = areAway(this.#counts(local))
    return isAway !== null && isAway !== this.#isShownAway(local.user)
  }

  #isShownAway(user: string): boolean {
    const { online, away } = this.#deps.store.directory.presence.get(user) ?? { online: false, away: false }
    return online && away
  }

  /** Of this node and all others. */
  *#counts(local: LocalUser): Generator<DeviceCount> {
    const { store, nodes } = this.#deps
    for (const [node, count] of store.directory.presence.devices(local.user)) if (node !== nodes.self) yield count
    yield local.count
  }

  #waited(local: LocalUser): number {
    local.isWaiting = false
    this.#save(local)
    return 0
  }

  /** One save of a user at a time: what changes meanwhile is one more. */
  #save(local: LocalUser): void {
    local.isDue = true
    if (!local.isSaving) void this.#saveAll(local)
  }

  async #saveAll(local: LocalUser): Promise<void> {
    local.isSaving = true
    try {
      while (local.isDue) {
        local.isDue = false
        local.storing = local.wanted
        await this.#write(local)
        if (local.wanted === local.storing) local.wanted = null
      }
    } catch (error) {
      this.#later(local)
      this.#deps.failed(error)
    }
    local.storing = null
    local.isSaving = false
    if (local.isIdle && !this.#unsaved.has(local)) this.#forget(local)
  }

  /** Nobody but this node writes to a store that is not shared: there is nothing to guard against. */
  async #write(local: LocalUser): Promise<void> {
    const { store, nodes } = this.#deps
    if (nodes.self === 0) throw new StoreError('this node has no number yet')
    const at = {
      self: nodes.self,
      shared: nodes.shared,
      isGone: (node: number) => !mayServe(nodes, node),
      over: this.#over,
    }
    if (nodes.shared) {
      await store.transact(`presence ${local.user}`, ({ directory }) => {
        return { ops: presenceOps(directory.presence, local, at), lazy: true, value: undefined }
      })
    } else {
      const ops = presenceOps(store.directory.presence, local, at)
      if (ops.length > 0) await store.sessions.writeLazily(ops)
    }
  }

  #later(local: LocalUser): void {
    if (this.#unsaved.size === 0) this.#deps.wheel.set(this.#retry, this.#deps.wheel.now + RETRY_INTERVAL)
    this.#unsaved.add(local)
  }

  #saveAgain(): number {
    const unsaved = [...this.#unsaved]
    this.#unsaved.clear()
    for (const local of unsaved) this.#save(local)
    return 0
  }

  #forget(local: LocalUser): void {
    this.#deps.wheel.delete(local)
    this.#unsaved.delete(local)
    if (this.#users.get(local.user) === local) this.#users.delete(local.user)
  }

  /** Of the nodes, the one that has been there longest looks after those of nodes that are gone. @param left Users of no node */
  #grace(left: readonly string[]): void {
    const { nodes, wheel, options } = this.#deps
    if (Math.min(...nodes.alive()) !== nodes.self) return
    const there = new Set(nodes.alive())
    const { latest } = nodes
    const wasGone = (node: number): boolean => !mayServe({ alive: () => there, latest }, node)
    wheel.set({ due: () => this.#graceOver(wasGone, left) }, wheel.now + options.restartGrace * 1000)
  }

  #graceOver(wasGone: (node: number) => boolean, left: readonly string[]): number {
    const { presence } = this.#deps.store.directory
    const gone = [...presence.nodes()].filter((node) => wasGone(node) && !mayServe(this.#deps.nodes, node))
    for (const node of gone) this.#over.add(node)
    for (const user of new Set([...left, ...gone.flatMap((node) => [...presence.usersOn(node)])])) this.save(user)
    return 0
  }
}
