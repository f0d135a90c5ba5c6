import type { Fence } from './fence.js'

/** What one node at a time does (jobs.ts). */
export interface Job {
  /** Unique, and the same on all nodes. */
  readonly name: string
  /** This node does it from now on. @param fence What it writes has to be behind it. Null: there is no other node */
  begin(fence: Fence | null): Promise<void> | void
  /** Resolves when nothing of it is under way, and what is to be kept of it is saved; once the fence is lost, nothing can be. */
  end(): Promise<void>
}
