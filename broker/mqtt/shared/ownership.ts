/** What belongs to one node at a time, as it is claimed (mqtt/claims.ts). */
import type { Fence } from '../../store/fence.js'
import type { Op } from '../../store/op.js'

/** What a session is claimed for: its connection; or a share group: the members that are connected here. */
export interface Claimant {
  readonly closed: boolean
  /** A claim elsewhere waits: it ends as if another connection took over the session here; a group is given up in its turn. */
  close(): void
  /** Another node has it: it ends, and saves nothing. */
  sessionLost(): void
}

/** A claim that was stored: it holds what it claims, or waits for it. */
export interface StoredClaim extends Fence {
  readonly state: 'waiting' | 'held' | 'lost'
  /** Settles when it waits no longer. */
  readonly decided: Promise<void>
}

export interface Ownership {
  /** Resolves when the claim is stored. @param patience Ms after which it is taken from an owner that does not give it up; null: never */
  begin(claimed: string, claimant: Claimant, patience: number | null): Promise<StoredClaim>
  /** What had to be saved is saved. @param ending What is written with it if nobody waits */
  release(claimed: string, claimant: Claimant, ending: () => readonly Op[]): Promise<void>
  /** Whether another claim waits, of a node that is there. */
  isWanted(claimed: string): boolean
  /** Whether this node has it: what it has to save may not be saved yet. */
  isOwn(claimed: string): boolean
  /** Does something with what nobody serves, as its owner for that time. Not called if somebody does. */
  whileUnserved(claimed: string, work: (fence: Fence) => Promise<void>): Promise<void>
}
