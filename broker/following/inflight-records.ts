/**
 * What is stored of the packets in flight of one subscriber: a list, and records of what has changed in it since. A save costs what has
 * changed, however many packets are in flight; the list is written anew as soon as the records come to cost as much. Of few packets, or of
 * packets that have nearly all changed, that is at once: one key, where a key for each packet would take several times the CPU.
 */
import type { Op } from '../store/op.js'
import type { InflightChange, SavedInflight, SessionStore } from '../store/sessions.js'

/** A record, which is written and later removed, costs about as much as so many packets in the list. */
const PACKETS_PER_RECORD = 8

/** The packets that are in flight now, and what has changed since they were asked for. */
export interface PacketsInFlight {
  readonly count: number
  /** @param save The number of the save that they are asked for */
  all(save: number): SavedInflight[]
  /** Null: more than `most`; then all have to be asked for. */
  changes(most: number, save: number): InflightChange[] | null
}

export class InflightRecords {
  readonly #packets: PacketsInFlight
  /** What is stored is what was written last. False as long as a save has not settled, or after one that failed. */
  #isKnown = false
  #lastSave = 0
  #wasWhole = false
  /** Records of changes that may be stored, and how many changes are in them. */
  #records = 0
  #changes = 0

  constructor(packets: PacketsInFlight) {
    this.#packets = packets
  }

  /** The session was saved by another connection, or another run of the broker. */
  found(records: number): void {
    this.#records = records
  }

  /** `save`: the number of this save, higher than that of the one before. `whole`: afterwards there are no records beside the list. */
  ops(sessions: SessionStore, id: string, save: number, whole: boolean): Op[] {
    const changes = this.#isKnown ? this.#packets.changes(whole ? 0 : this.#room, save) : null
    if (changes?.length === 0 && !(whole && this.#records > 0)) return []
    this.#lastSave = save
    this.#isKnown = false
    this.#wasWhole = whole || changes === null
    if (this.#wasWhole) return sessions.inflightOps(id, this.#packets.all(save), this.#records)
    this.#changes += changes!.length
    return [sessions.inflightChangesOp(id, this.#records++, changes!)]
  }

  /** How many changes are cheaper than the whole list. */
  get #room(): number {
    const { count } = this.#packets
    return Math.max(0, count - this.#changes - PACKETS_PER_RECORD * (this.#records + 1))
  }

  /** Everything of that save is stored. */
  stored(save: number): void {
    if (save !== this.#lastSave) return
    this.#isKnown = true
    if (this.#wasWhole) this.#records = this.#changes = 0
  }
}
