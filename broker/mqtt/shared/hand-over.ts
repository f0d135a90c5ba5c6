/** What becomes of the assignments of a share group that goes to another node, and of those whose session does. */
import type { SavedInflight } from '../../store/sessions.js'
import type { Assignment, LentElsewhere } from './assignments.js'
import type { Distribution } from './distribution.js'
import { isPresent } from './members.js'

export class HandOver {
  readonly #distribution: Distribution

  constructor(distribution: Distribution) {
    this.#distribution = distribution
  }

  /** Assigns nothing more. Resolves when all that was assigned to who is connected here is acknowledged. */
  begin(): Promise<void> {
    this.#distribution.stop()
    return this.#distribution.assignments.whenNone(({ member }) => isPresent(member))
  }

  /**
   * Resolves when each exchange that a member has is stored with its session, or has returned.
   * @param isOurs What is to be kept of the group is written; else another node has it, and gives what was not sent
   */
  exchangesStored(isOurs: boolean): Promise<void> {
    this.#distribution.stop()
    if (!isOurs) this.#distribution.takeBackUnsent()
    return this.#distribution.assignments.whenNone(({ source, isStored }) => source !== null && !isStored)
  }

  /**
   * What is not acknowledged is not settled in what is saved of the group: it is assigned anew where the group is served next; but a QoS 2
   * exchange stays with its session.
   */
  end(entrust: (assignment: Assignment) => LentElsewhere): void {
    for (const assignment of this.#distribution.assignments)
      if (assignment.source !== null) assignment.member.session?.inflight.entrust(assignment, entrust(assignment))
      else if (assignment.qos === 2) this.#distribution.done(assignment.feed, assignment.seq)
  }

  /** Exchanges of present members that ended while nobody served the group here. */
  settleEnded(): void {
    for (const assignment of [...this.#distribution.assignments]) {
      const { member, source, seq } = assignment
      if (source !== null && isPresent(member) && member.session.started && !member.session.inflight.has(source, seq))
        this.#distribution.settle(assignment)
    }
  }

  /** The session was served elsewhere, and has still only these packets in flight. */
  settleOthers(sessionId: string, inflight: readonly SavedInflight[]): void {
    for (const assignment of this.#distribution.assignments.ofSession(sessionId)) {
      const { source, seq, member } = assignment
      const isThere = inflight.some((packet) => packet.source === source && packet.seq === seq)
      if (!isPresent(member) && assignment.isStored && !isThere) this.#distribution.settle(assignment)
    }
  }

  /** Whether a session has any. */
  concerns(sessionId: string): boolean {
    return this.#distribution.assignments.ofSession(sessionId).length > 0
  }
}
