/** Which node does which job (jobs.ts). Nothing of it is written while a single node has the store. */
import type { Op } from './op.js'

/** Identifies one node's ownership of a job over all nodes and times: the number of the node, and one that it uses once. */
export type JobClaim = string

export interface JobOwners {
  /** Undefined: nobody does it. */
  owner(job: string): JobClaim | undefined
  /** The nodes that take jobs, by their numbers. Some of them may be gone. */
  candidates(): ReadonlySet<number>
  ownerOp(job: string, claim: JobClaim): Op
  deleteOwnerOp(job: string): Op
  candidateOp(node: number): Op
  deleteCandidateOp(node: number): Op
}

export function jobClaim(node: number, count: number): JobClaim {
  return `${node}.${count}`
}

export function nodeOfJobClaim(claim: JobClaim): number {
  return Number.parseInt(claim, 10)
}
