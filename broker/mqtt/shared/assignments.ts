/** Messages of a share group that are assigned to a member and not acknowledged yet. */

import type { FlightOwner, LogFeed, QueueFeed } from '../../following/feeds.js'
import type { QoS } from '../../store/qos.js'
import type { OutboundMessage } from '../codec/outbound-message.js'
import type { ShareMember } from './members.js'

/** The group, as its assignments know it. */
export interface Assigner {
  readonly group: { readonly id: string }
  /** The message was acknowledged, or dropped. */
  settle(assignment: Assignment): void
  /** It is in a save of its session that is made now. */
  saving(assignment: Assignment): void
  /** Such a save has settled. */
  saved(assignment: Assignment): void
}

export class Assignment implements FlightOwner {
  readonly feed: LogFeed | QueueFeed
  readonly seq: number
  readonly qos: QoS
  member: ShareMember
  /** Its session has it, whichever node serves that. Before it is stored, it has not been sent. */
  isStored = false
  /** The last save of its session that has it. */
  lastSave = 0
  /** Those under way that have it. */
  #saves = 0
  readonly #assigner: Assigner

  constructor(assigner: Assigner, member: ShareMember, feed: LogFeed | QueueFeed, seq: number, qos: QoS) {
    this.#assigner = assigner
    this.member = member
    this.feed = feed
    this.seq = seq
    this.qos = qos
  }

  /** A QoS 1 message returns when the member disconnects; a QoS 2 exchange that was begun stays with its session [MQTT5-4.8.2-4]. */
  get source(): string | null {
    return this.qos === 2 && this.member.persistent ? assignmentSource(this.#assigner.group.id, this.feed.source) : null
  }

  /** It is stored with its session, or may be. Before, the session can be left without it. */
  get hasBegun(): boolean {
    return this.isStored || this.#saves > 0
  }

  saving(save: number): void {
    this.lastSave = save
    this.#saves++
    this.#assigner.saving(this)
  }

  saved(isStored: boolean): void {
    this.#saves--
    if (isStored) this.isStored = true
    this.#assigner.saved(this)
  }

  acknowledged(): void {
    this.#assigner.settle(this)
  }
}

/** A message assigned before a reconnect. `read` reads it again: null when it is gone, or no longer allowed. */
export interface AssignedMessage {
  readonly owner: FlightOwner
  read(): Promise<OutboundMessage | null>
}

/** An assignment as its session saved it. */
export interface SavedAssignment {
  readonly sessionId: string
  readonly source: string
  readonly seq: number
}

/** Owner of a QoS 2 exchange whose group is not served here, or was not when the exchange went on here. */
export class LentElsewhere implements FlightOwner {
  readonly source: string
  readonly #acknowledged: (packet: { readonly seq: number }) => void

  /** @param acknowledged Tells the group, if it is served here by then. If not, it finds what its sessions have saved */
  constructor(source: string, acknowledged: (packet: { readonly seq: number }) => void) {
    this.source = source
    this.#acknowledged = acknowledged
  }

  acknowledged(seq: number): void {
    this.#acknowledged({ seq })
  }
}

export class Assignments {
  readonly #assignments = new Set<Assignment>()
  #waiters: (() => void)[] = []

  add(assignment: Assignment): void {
    this.#assignments.add(assignment)
  }

  /** False: it was already settled or withdrawn. */
  delete(assignment: Assignment): boolean {
    const was = this.#assignments.delete(assignment)
    this.changed()
    return was
  }

  /** One of them has changed. */
  changed(): void {
    for (const look of this.#waiters) look()
  }

  /** Resolves when there are no such assignments; looked at when one ends or changes. */
  whenNone(are: (assignment: Assignment) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        for (const assignment of this.#assignments) if (are(assignment)) return
        this.#waiters = this.#waiters.filter((waiter) => waiter !== look)
        resolve()
      }
      this.#waiters.push(look)
      look()
    })
  }

  [Symbol.iterator](): Iterator<Assignment> {
    return this.#assignments.values()
  }

  clear(): void {
    this.#assignments.clear()
    this.changed()
  }

  ofSession(sessionId: string): Assignment[] {
    return [...this.#assignments].filter(({ member }) => member.sessionId === sessionId)
  }

  ofFeed(feed: LogFeed | QueueFeed): Assignment[] {
    return [...this.#assignments].filter((assignment) => assignment.feed === feed)
  }

  find({ sessionId, source, seq }: SavedAssignment): Assignment | undefined {
    return this.ofSession(sessionId).find((assignment) => assignment.feed.source === source && assignment.seq === seq)
  }
}

/** Names an assignment among the in-flight packets of a session: the group, and which of its feeds. */
export function assignmentSource(group: string, source: string): string {
  return `${group}\0${source}`
}

/** Null: the source is not a group's. */
export function parseAssignmentSource(source: string): { group: string; source: string } | null {
  const at = source.indexOf('\0')
  return at < 0 ? null : { group: source.slice(0, at), source: source.slice(at + 1) }
}
