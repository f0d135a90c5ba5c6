/** What the sessions of a share group have of it, and have not acknowledged. */

import type { FlightOwner, LogFeed, QueueFeed } from '../../following/feeds.js'
import type { QoS } from '../../store/qos.js'
import type { Member } from './members.js'

export class Loan implements FlightOwner {
  readonly feed: LogFeed | QueueFeed
  readonly seq: number
  readonly qos: QoS
  member: Member
  readonly #group: string
  readonly #settle: (loan: Loan) => void

  constructor(
    { id, settle }: { id: string; settle: (loan: Loan) => void },
    member: Member,
    feed: LogFeed | QueueFeed,
    seq: number,
    qos: QoS,
  ) {
    this.#group = id
    this.#settle = settle
    this.member = member
    this.feed = feed
    this.seq = seq
    this.qos = qos
  }

  /** QoS 1 comes back when the member goes; a begun exchange of QoS 2 stays with its session [MQTT5-4.8.2-4]. */
  get source(): string | null {
    return this.qos === 2 && this.member.persistent ? loanSource(this.#group, this.feed.source) : null
  }

  acknowledged(): void {
    this.#settle(this)
  }
}

/** A loan as its session saved it. */
export interface HeldLoan {
  readonly sessionId: string
  readonly source: string
  readonly seq: number
}

export class Loans {
  readonly #loans = new Set<Loan>()

  add(loan: Loan): void {
    this.#loans.add(loan)
  }

  /** False: it was settled, or withdrawn, before. */
  delete(loan: Loan): boolean {
    return this.#loans.delete(loan)
  }

  clear(): void {
    this.#loans.clear()
  }

  ofSession(sessionId: string): Loan[] {
    return [...this.#loans].filter(({ member }) => member.sessionId === sessionId)
  }

  ofFeed(feed: LogFeed | QueueFeed): Loan[] {
    return [...this.#loans].filter((loan) => loan.feed === feed)
  }

  find({ sessionId, source, seq }: HeldLoan): Loan | undefined {
    return this.ofSession(sessionId).find((loan) => loan.feed.source === source && loan.seq === seq)
  }
}

/** Names a loan among the packets under way of a session: the group, and which of its feeds. */
function loanSource(group: string, source: string): string {
  return `${group}\0${source}`
}

/** Null: the source is not a group's. */
export function parseLoanSource(source: string): { group: string; source: string } | null {
  const at = source.indexOf('\0')
  return at < 0 ? null : { group: source.slice(0, at), source: source.slice(at + 1) }
}
