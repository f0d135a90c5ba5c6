import { del, type Op, put } from '../op.js'
import type { SessionClaim, SessionOwners } from '../session-owners.js'
import { keyOf } from '../tables.js'
import { SingleTable } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class SessionOwnerTable implements SessionOwners {
  readonly #owners: TableSlot<SingleTable<SessionClaim>>
  readonly #claimants: TableSlot<SingleTable<SessionClaim>>
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(slots: TableSlots, reads: Reads | null) {
    this.#owners = slots.of('owner', () => new SingleTable(String))
    this.#claimants = slots.of('claimant', () => new SingleTable(String))
    this.#reads = reads
  }

  owner(session: string): SessionClaim | undefined {
    this.#reads?.record('owner', keyOf(session))
    return this.#owners.now.records.get(session)
  }

  claimant(session: string): SessionClaim | undefined {
    this.#reads?.record('claimant', keyOf(session))
    return this.#claimants.now.records.get(session)
  }

  all(): Iterable<readonly [session: string, claim: SessionClaim]> {
    return this.#owners.now.records
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
