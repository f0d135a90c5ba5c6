/**
 * Bridges post what a device publishes into rooms, in the device's name and in the commit of the publish. They work in this direction only,
 * so that there can be no loop.
 */

import { MAX_BRIDGED_TEXT } from '../../../schemas/commands/bridges.js'
import { Refusal } from '../../../schemas/errors.js'
import { filterMatches, topicFilterFault } from '../../../schemas/topics.js'
import type { Draft } from '../../store/changes.js'
import type { BridgeRecord } from '../../store/devices.js'
import { personBehind } from '../../store/persons.js'
import type { RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import { uuid7 as bridgeId } from '../../util/uuid7.js'
import { requireNoFiles } from '../files/attached-files.js'
import type { Screening } from '../messages/screening.js'
import { paceOp } from '../messages/slow-mode.js'
import { type Actor, requireAccount, requireUser } from '../model/actor.js'
import { type CheckedMessage, checkMessage, decodeText, parseObject, stringify } from '../model/message.js'
import { inexactNumber } from '../model/numbers.js'
import type { Publication } from '../model/publication.js'
import type { Rates } from '../model/rates.js'
import { stamp } from '../model/stamp.js'
import { decideUpToDate } from '../model/up-to-date.js'
import { logs } from '../model/views.js'
import type { Members } from '../rooms/members.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { DeviceRules } from './device-rules.js'
import { lockOf } from './devices.js'

/** Maximum bridges per device. */
const MAX_BRIDGES = 20
/** Messages per second and bridge, and the burst. Above the rate, messages are dropped. */
const PER_SECOND = 1
const AT_ONCE = 10

export interface BridgesDeps {
  readonly store: Store
  readonly rules: DeviceRules
  readonly roomRules: RoomRules
  readonly members: Pick<Members, 'admission' | 'admitted'>
  readonly screening: Screening
  readonly rates: Rates
  readonly topicLevels: number
  /** Counts dropped messages, by reason. */
  readonly count: (name: string) => void
}

export type NewBridge = Pick<BridgeRecord, 'filter' | 'room' | 'template'>

export class Bridges {
  readonly #deps: BridgesDeps
  readonly #buckets = new TokenBuckets(PER_SECOND, AT_ONCE)

  constructor(deps: BridgesDeps) {
    this.#deps = deps
  }

  /** Creates a bridge. The actor must own the device and be allowed to invite into the room; the device joins the room. @throws Refusal */
  async create(actor: Actor, device: string, { filter, room, template }: NewBridge): Promise<BridgeRecord> {
    const { store, rules, roomRules, members } = this.#deps
    const by = requireUser(actor)
    const record: BridgeRecord = { device, id: bridgeId(), filter, room, template, by, at: Date.now() }
    const { value } = await store.transact(lockOf(device), async (tx) => {
      const { directory } = tx
      rules.with(directory).require(actor, device, 'own')
      this.#requireFilter(filter)
      roomRules.with(directory).require(actor, room, 'invite')
      tx.limit({ table: 'bridge', owner: device, most: MAX_BRIDGES })
      if (store.directory.devices.bridges.of(device).size >= MAX_BRIDGES)
        throw new Refusal('conflict', `${device} has ${MAX_BRIDGES} bridges; remove one first`)
      await requireAccount(directory, actor.principal)
      const { drafts = [], ops = [], value } = await members.admission(tx, actor, room, device)
      return { drafts, ops: [...ops, directory.devices.bridges.putOp(record)], value }
    })
    await members.admitted(value)
    return record
  }

  #requireFilter(filter: string): void {
    const fault = topicFilterFault(filter, this.#deps.topicLevels)
    if (fault) throw new Refusal('bad_request', fault, { field: 'filter' })
  }

  /** Removes a bridge. The device stays a member of the room. */
  async remove(actor: Actor, device: string, id: string): Promise<void> {
    const { store, rules } = this.#deps
    await store.transact(lockOf(device), ({ directory }) => {
      const { bridges } = directory.devices
      rules.with(directory).require(actor, device, 'own')
      if (!bridges.get(device, id)) throw new Refusal('not_found', `there is no bridge ${id}`, { field: 'bridge' })
      return { ops: [bridges.deleteOp(device, id)], value: null }
    })
  }

  /** Drafts to append with a publish of the device below its topic (`rest`), at most one per room; null: none. */
  drafts(actor: Actor, rest: string, publication: Publication): Promise<Draft[]> | null {
    const all = this.#deps.store.directory.devices.bridges.of(actor.principal.user)
    if (all.size === 0 || publication.payload.length === 0) return null
    const byRoom = new Map<string, BridgeRecord>()
    for (const bridge of all.values())
      if (!byRoom.has(bridge.room) && filterMatches(bridge.filter, rest)) byRoom.set(bridge.room, bridge)
    return byRoom.size === 0 ? null : this.#drafts(actor, [...byRoom.values()], rest, publication.payload)
  }

  async #drafts(actor: Actor, bridges: readonly BridgeRecord[], rest: string, payload: Buffer): Promise<Draft[]> {
    const drafts = await Promise.all(bridges.map((bridge) => this.#draft(actor, bridge, rest, payload)))
    return drafts.filter((draft) => draft !== null)
  }

  /** Null if the message is refused, which is counted. The publish itself succeeds. */
  async #draft(actor: Actor, bridge: BridgeRecord, rest: string, payload: Buffer): Promise<Draft | null> {
    try {
      const { room, template } = bridge
      await this.#requireRate(actor, bridge)
      const text = template === null ? unformatted(payload) : formatted(template, rest, payload)
      requireNoFiles(text.input, 'a bridged message')
      const message = (await this.#deps.screening.screen(actor, room, text))?.message ?? text
      await this.#requireWriter(actor, room)
      return stamp(actor, { log: logs.messages(room), place: `"room":"${room}",` }, message, { qos: 1 })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#deps.count(`dropped.bridge_${error.code}`)
      return null
    }
  }

  /** The rules for members apply to the device as well. @throws Refusal `forbidden`. */
  #requireWriter(actor: Actor, room: string): Promise<RoomRecord> {
    const { store, roomRules } = this.#deps
    const { user } = actor.principal
    return decideUpToDate(store, actor, () => {
      const member = store.directory.member(room, user)
      if (!member) throw new Refusal('forbidden', `${user} is not a member of ${room}`)
      return roomRules.requireWriter(member)
    })
  }

  /** The rate of the bridge, the room's rate and its slow mode apply. @throws Refusal `rate_limited`. */
  async #requireRate(actor: Actor, { id, room }: BridgeRecord): Promise<void> {
    const { rates, store } = this.#deps
    const slow = await this.#requireWriter(actor, room)
    if (this.#buckets.take(id) > 0) throw new Refusal('rate_limited', 'more than a bridge takes')
    rates.requireRoomRate(room)
    if (slow.slowMode === 0) return
    const person = personBehind(store.directory, actor.principal.user)
    // Counted before the message is written: a publish that bridges take into many rooms is not held up by one of them.
    await store.transact(`slow mode ${room} ${person}`, async ({ directory, expiring }) => {
      if (!directory.member(room, actor.principal.user)) throw new Refusal('forbidden', `not a member of ${room}`)
      return { ops: [await paceOp(expiring, slow, person)], lazy: true, value: null }
    })
  }
}

/**
 * An object becomes `data`, anything else text, so that a device cannot send edits, mentions or bot commands. An object with inexact
 * numbers becomes text.
 */
function unformatted(payload: Buffer): CheckedMessage {
  const text = decodeText(payload)
  const data = parseObject(text)
  if (!data || inexactNumber(text)) return checkMessage(payload, true)
  return {
    cid: null,
    inside: stringify({ type: 'custom', data }).slice(1, -1),
    ttl: null,
    input: { type: 'custom', data },
    text: null,
  }
}

const PLACE = /\{([^{}]{1,64})\}/g

/** Fills in `{payload}`, `{topic}` (below the device), and the keys of a JSON object; unknown names become empty. */
function formatted(template: string, rest: string, payload: Buffer): CheckedMessage {
  const published = decodeText(payload)
  const fields = parseObject(published) ?? {}
  const fieldValue = (name: string): unknown => {
    if (name === 'payload') return published
    return name === 'topic' ? rest : Object.hasOwn(fields, name) ? fields[name] : ''
  }
  const text = template.replace(PLACE, (_, name: string) => {
    const value = fieldValue(name)
    return typeof value === 'string' ? value : stringify(value)
  })
  return checkMessage(Buffer.from(text.slice(0, MAX_BRIDGED_TEXT)), true)
}
