/**
 * Which node serves a session, among nodes that share a store. A connection claims its session before anything of it is loaded. If another node
 * serves it, the claim waits: that node hears of it by the store, ends its connection, saves, and hands over. A node that does not answer
 * within a second loses the session; what it still writes is refused (store/fence.ts). Of claims that wait, the last one that was
 * written gets the session: which one is later is decided by the store, and by no clock.
 */
import type { Fence } from '../store/fence.js'
import type { SameRecord } from '../store/guards.js'
import { mayServe, type Nodes } from '../store/nodes.js'
import type { Op } from '../store/op.js'
import type { RecordChange } from '../store/record-changes.js'
import { nodeOfClaim, type SessionClaim, sessionClaim } from '../store/session-owners.js'
import type { Store } from '../store/store.js'
import { keyOf } from '../store/tables.js'
import type { Transaction } from '../store/transaction.js'
import type { Deadline, TimerWheel } from '../util/timer-wheel.js'
import { Reason } from './codec/reason-codes.js'
import { ConnectRefused } from './connect-refused.js'
import type { Claimant, Ownership, StoredClaim } from './shared/ownership.js'

/** Ms within which the owner of a session gives it up. */
const PATIENCE = 1000

export interface ClaimsDeps {
  readonly store: Pick<Store, 'transact' | 'watch' | 'sessionOwners' | 'tables'>
  readonly nodes: Pick<Nodes, 'self' | 'alive' | 'latest' | 'onGone' | 'onLost'>
  readonly wheel: TimerWheel
  readonly failed: (error: unknown) => void
}

export class Claims implements Ownership {
  readonly #deps: ClaimsDeps
  /** By session: that of its connection here. */
  readonly #claims = new Map<string, Claim>()
  /** Sessions that it does something with by itself. */
  readonly #jobs = new Set<string>()
  #count = 0

  constructor(deps: ClaimsDeps) {
    this.#deps = deps
    deps.store.watch((change) => this.#on(change))
    deps.nodes.onGone(() => this.#askAgain())
    deps.nodes.onLost(() => this.#loseAll())
  }

  /**
   * Resolves when the session is this node's, or the connection is closed. Connections here claim a session one after another.
   * @throws ConnectRefused
   */
  async claim(session: string, claimant: Claimant): Promise<Fence> {
    let claim: StoredClaim
    try {
      claim = await this.begin(session, claimant, PATIENCE)
      await claim.decided
    } catch (error) {
      this.#deps.failed(error)
      throw new ConnectRefused(3, Reason.serverUnavailable, 'the session cannot be loaded right now')
    }
    if (claim.state === 'lost' && !claimant.closed)
      throw new ConnectRefused(3, Reason.serverBusy, 'a later connection took over the session')
    return claim
  }

  /** Resolves when the claim is stored: it is held, or waits. @param patience Ms after which it is taken from an owner that does not give it up; null: never */
  async begin(session: string, claimant: Claimant, patience: number | null): Promise<StoredClaim> {
    const { wheel } = this.#deps
    const claim = new Claim(session, this.#newClaim(), claimant, patience, this.#behind)
    this.#claims.set(session, claim)
    await this.#ask(claim)
    if (claim.state === 'waiting' && patience !== null) wheel.set(claim, wheel.now + patience)
    return claim
  }

  /** The connection is closed, and what it had to save is saved. @param ending What is written with it if nobody waits for the session */
  async release(session: string, claimant: Claimant, ending: () => readonly Op[] = () => []): Promise<void> {
    const claim = this.#claims.get(session)
    if (claim?.claimant !== claimant) return
    this.#claims.delete(session)
    claim.end('lost')
    await this.#handOver(session, claim.value, ending).catch(this.#deps.failed)
  }

  /**
   * Ends a session that another node serves, whether or not anything is stored of it but who serves it: that node hears that it is wanted, and loses it if it
   * does not answer.
   */
  async endElsewhere(session: string): Promise<void> {
    if (this.#claims.has(session) || !this.isElsewhere(this.#deps.store.sessionOwners.owner(session))) return
    const nobody: Claimant = { closed: false, close: () => {}, sessionLost: () => {} }
    const claim = await this.begin(session, nobody, PATIENCE)
    await claim.decided
    await this.release(session, nobody)
  }

  /** Whether the claim of a node waits that could serve the session. */
  isWanted(session: string): boolean {
    const waiting = this.#deps.store.sessionOwners.claimant(session)
    return waiting !== undefined && waiting !== this.#claims.get(session)?.value && this.#isAlive(waiting)
  }

  /** The connection is closing: it waits no longer. */
  abandon(session: string, claimant: Claimant): void {
    const claim = this.#claims.get(session)
    if (claim?.claimant === claimant && claim.state === 'waiting') claim.end('lost')
  }

  #newClaim(): SessionClaim {
    return sessionClaim(this.#deps.nodes.self, ++this.#count, Date.now())
  }

  /** What claims ask for by themselves. */
  readonly #behind: BehindClaim = {
    late: (claim) => void this.#ask(claim, true).catch(this.#deps.failed),
    decided: (claim) => this.#deps.wheel.delete(claim),
    check: (claim) => this.#check(claim).catch(this.#deps.failed),
  }

  async #check(claim: Claim): Promise<void> {
    const { table, key, value } = claim.same
    const owner = await this.#deps.store.tables.get(table, key)
    if (claim.state === 'held' && owner?.toString() !== value) claim.lose()
  }

  /**
   * Does something with a session that no connection has, as its owner for that time. A connection does not wait for it: then what is still
   * written here is refused. Not called if somebody has the session.
   */
  async whileUnserved(session: string, work: (fence: Fence) => Promise<void>): Promise<void> {
    const value = this.#newClaim()
    const { value: isTaken } = await this.#deps.store.transact(`owner ${session}`, ({ sessionOwners: owners }) => {
      if (this.#isServedBy(session, owners.owner(session))) return { value: false }
      return { ops: [owners.ownerOp(session, value)], value: true }
    })
    if (!isTaken) return
    this.#jobs.add(session)
    try {
      await work({ same: ownedBy(session, value), lost: false, refused: async () => {} })
    } finally {
      this.#jobs.delete(session)
      await this.#handOver(session, value)
    }
  }

  /** Whether a node has the session that may still serve it. */
  isServed(session: string): boolean {
    return this.#isServedBy(session, this.#deps.store.sessionOwners.owner(session))
  }

  /** Whether this node has the session, perhaps without a connection. */
  isOwn(session: string): boolean {
    const owner = this.#deps.store.sessionOwners.owner(session)
    return owner !== undefined && nodeOfClaim(owner) === this.#deps.nodes.self
  }

  /** Whether another node has the session. */
  isElsewhere(owner: SessionClaim | undefined): boolean {
    return owner !== undefined && nodeOfClaim(owner) !== this.#deps.nodes.self && this.#isAlive(owner)
  }

  /** What this node has without a connection is left over: it could not be released. */
  #isServedBy(session: string, owner: SessionClaim | undefined): boolean {
    if (owner === undefined || nodeOfClaim(owner) !== this.#deps.nodes.self) return this.isElsewhere(owner)
    return this.#claims.has(session) || this.#jobs.has(session)
  }

  /** Sessions of nodes that are gone. */
  abandoned(): string[] {
    const found: string[] = []
    for (const [session, claim] of this.#deps.store.sessionOwners.all())
      if (!this.#isServedBy(session, claim)) found.push(session)
    return found
  }

  /** Takes the session, or notes that it is wanted. `now`: its owner did not answer. */
  async #ask(claim: Claim, now = false): Promise<void> {
    await this.#deps.store.transact(`owner ${claim.session}`, (tx) => this.#asking(claim, now, tx))
    this.#review(claim)
  }

  #asking({ session, value, state }: Claim, now: boolean, { sessionOwners: owners }: Transaction) {
    const owner = owners.owner(session)
    const waiting = owners.claimant(session)
    // By now it may have been granted, or a later one has taken its place (`#review`).
    if (owner === value || state !== 'waiting') return NOTHING
    // What this node served before, nobody here serves any more.
    if (this.isElsewhere(owner) && !now) return { ops: [owners.claimantOp(session, value)], value: undefined }
    const ops = [owners.ownerOp(session, value)]
    if (waiting !== undefined) ops.push(owners.deleteClaimantOp(session))
    return { ops, value: undefined }
  }

  /** To who waits for the session, or to nobody. */
  async #handOver(session: string, value: SessionClaim, ending: () => readonly Op[] = () => []): Promise<void> {
    await this.#deps.store.transact(`owner ${session}`, ({ sessionOwners: owners }) => {
      const waiting = owners.claimant(session)
      const heir = waiting !== undefined && waiting !== value && this.#isAlive(waiting) ? waiting : null
      const isMine = owners.owner(session) === value
      const ops = isMine ? (heir ? [owners.ownerOp(session, heir)] : [...ending(), owners.deleteOwnerOp(session)]) : []
      if (waiting === value || (isMine && waiting !== undefined)) ops.push(owners.deleteClaimantOp(session))
      return { ops, value: undefined }
    })
  }

  #isAlive(claim: SessionClaim): boolean {
    return mayServe(this.#deps.nodes, nodeOfClaim(claim))
  }

  #on(change: RecordChange): void {
    if (change.kind === 'owner') {
      const claim = this.#claims.get(change.session)
      if (claim) this.#review(claim)
      else this.#giveUp(change.session)
    } else if (change.kind === 'reloaded') for (const claim of [...this.#claims.values()]) this.#review(claim)
  }

  /** What is stored says what became of a claim. */
  #review(claim: Claim): void {
    const { sessionOwners: owners } = this.#deps.store
    const owner = owners.owner(claim.session)
    const waiting = owners.claimant(claim.session)
    if (waiting === claim.value) claim.wasNoted = true
    if (owner === claim.value) {
      if (claim.state === 'waiting') claim.end('held')
      // When all that is heard at once is known: the other claim may have been given up.
      if (claim.state === 'held' && waiting !== undefined) queueMicrotask(() => this.#yield(claim))
    } else if (claim.state === 'held') claim.lose()
    else if (claim.wasNoted && waiting !== claim.value) this.#displaced(claim, owner ?? waiting)
  }

  #yield(claim: Claim): void {
    const isWanted = this.#deps.store.sessionOwners.claimant(claim.session) !== undefined
    if (isWanted && claim.state === 'held') claim.claimant.close()
  }

  /** Another claim took its place; if there is none any more, the session is to be had. */
  #displaced(claim: Claim, by: SessionClaim | undefined): void {
    if (by !== undefined) return claim.end('lost')
    claim.wasNoted = false
    this.#ask(claim).catch(this.#deps.failed)
  }

  /** A session that could not be released when its connection closed, and that another node waits for. */
  #giveUp(session: string): void {
    const { sessionOwners: owners } = this.#deps.store
    const owner = owners.owner(session)
    if (owner === undefined || nodeOfClaim(owner) !== this.#deps.nodes.self) return
    if (owners.claimant(session) !== undefined) this.#handOver(session, owner).catch(this.#deps.failed)
  }

  /** A node is gone: what it has may be taken. */
  #askAgain(): void {
    for (const claim of this.#claims.values()) if (claim.state === 'waiting') this.#ask(claim).catch(this.#deps.failed)
  }

  #loseAll(): void {
    for (const claim of [...this.#claims.values()])
      if (claim.state === 'held') claim.lose()
      else claim.end('lost')
  }
}

const NOTHING = { value: undefined }

function ownedBy(session: string, value: SessionClaim): SameRecord {
  return { table: 'owner', key: keyOf(session), value }
}

interface BehindClaim {
  late(claim: Claim): void
  decided(claim: Claim): void
  check(claim: Claim): Promise<void>
}

/** A connection's claim of a session; a fence for what it writes of it. */
class Claim implements StoredClaim, Deadline {
  readonly session: string
  readonly value: SessionClaim
  readonly claimant: Claimant
  readonly same: SameRecord
  state: 'waiting' | 'held' | 'lost' = 'waiting'
  /** It was stored that it waits. */
  wasNoted = false
  readonly decided: Promise<void>
  #decide!: () => void
  readonly #patience: number | null
  readonly #behind: BehindClaim

  constructor(session: string, value: SessionClaim, claimant: Claimant, patience: number | null, behind: BehindClaim) {
    this.session = session
    this.value = value
    this.claimant = claimant
    this.same = ownedBy(session, value)
    this.decided = new Promise((decide) => (this.#decide = decide))
    this.#patience = patience
    this.#behind = behind
  }

  get lost(): boolean {
    return this.state === 'lost'
  }

  end(state: 'held' | 'lost'): void {
    this.state = state
    this.#behind.decided(this)
    this.#decide()
  }

  refused(): Promise<void> {
    return this.#behind.check(this)
  }

  lose(): void {
    this.end('lost')
    this.claimant.sessionLost()
  }

  /** The owner of the session did not give it up in time. Repeated until that is decided: the store may have failed. */
  due(now: number): number {
    this.#behind.late(this)
    return this.#patience === null ? 0 : now + this.#patience
  }
}
