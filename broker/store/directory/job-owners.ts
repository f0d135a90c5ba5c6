import type { JobClaim, JobOwners } from '../job-owners.js'
import { del, type Op, put } from '../op.js'
import { keyOf, type Owner, ownerOf } from '../tables.js'
import { type MemoryTable, SingleTable, type Value } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class JobOwnerTable implements JobOwners {
  readonly #owners: TableSlot<SingleTable<JobClaim>>
  readonly #candidates: TableSlot<Candidates>
  readonly #reads: Reads | null

  /** @param reads Records what is read of owners */
  constructor(slots: TableSlots, reads: Reads | null) {
    this.#owners = slots.of('job', () => new SingleTable(String))
    this.#candidates = slots.of('candidate', () => new Candidates())
    this.#reads = reads
  }

  owner(job: string): JobClaim | undefined {
    this.#reads?.record('job', keyOf(job))
    return this.#owners.now.records.get(job)
  }

  candidates(): ReadonlySet<number> {
    return this.#candidates.now.nodes
  }

  ownerOp(job: string, claim: JobClaim): Op {
    return put('job', keyOf(job), claim)
  }

  deleteOwnerOp(job: string): Op {
    return del('job', keyOf(job))
  }

  candidateOp(node: number): Op {
    return put('candidate', keyOf(String(node)), '')
  }

  deleteCandidateOp(node: number): Op {
    return del('candidate', keyOf(String(node)))
  }
}

class Candidates implements MemoryTable {
  readonly nodes = new Set<number>()

  apply(key: string, value: Value | null): void {
    const node = Number(ownerOf(key))
    if (value === null) this.nodes.delete(node)
    else this.nodes.add(node)
  }

  clear(node: Owner): void {
    this.nodes.delete(Number(node))
  }
}
