import { del, type Op, put } from '../op.js'
import type { SessionClaim, SessionOwners } from '../session-owners.js'
import { keyOf, ownerOf } from '../tables.js'
import { type MemoryTable, SingleTable, type Value } from './memory-table.js'
import { NestedMap } from './nested-map.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class SessionOwnerTable implements SessionOwners {
  readonly #owners: TableSlot<ByUser>
  readonly #claimants: TableSlot<SingleTable<SessionClaim>>
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(slots: TableSlots, reads: Reads | null) {
    this.#owners = slots.of('owner', () => new ByUser())
    this.#claimants = slots.of('claimant', () => new SingleTable(String))
    this.#reads = reads
  }

  owner(session: string): SessionClaim | undefined {
    this.#reads?.record('owner', keyOf(session))
    const { user, client } = partsOf(session)
    return this.#owners.now.claims.get(user, client)
  }

  claimant(session: string): SessionClaim | undefined {
    this.#reads?.record('claimant', keyOf(session))
    return this.#claimants.now.records.get(session)
  }

  ofUser(user: string): ReadonlyMap<string, SessionClaim> {
    return this.#owners.now.claims.of(user)
  }

  *all(): Iterable<readonly [session: string, claim: SessionClaim]> {
    for (const [user, clients] of this.#owners.now.claims)
      for (const [client, claim] of clients) yield [`${user}/${client}`, claim]
  }

  ownerOp(session: string, claim: SessionClaim): Op {
    return put('owner', keyOf(session), claim)
  }

  deleteOwnerOp(session: string): Op {
    return del('owner', keyOf(session))
  }

  claimantOp(session: string, claim: SessionClaim): Op {
    return put('claimant', keyOf(session), claim)
  }

  deleteClaimantOp(session: string): Op {
    return del('claimant', keyOf(session))
  }
}

/** By user and client id. */
class ByUser implements MemoryTable {
  readonly claims = new NestedMap<SessionClaim>()

  apply(key: string, value: Value | null): void {
    const { user, client } = partsOf(ownerOf(key))
    if (value === null) this.claims.delete(user, client)
    else this.claims.set(user, client, String(value))
  }

  clear(session: string): void {
    const { user, client } = partsOf(session)
    this.claims.delete(user, client)
  }
}

function partsOf(session: string): { user: string; client: string } {
  const end = session.indexOf('/')
  return { user: session.slice(0, end), client: session.slice(end + 1) }
}
