/**
 * Commands to devices. A command is an entry of the device's log, so that it waits while the device is offline, and a record with the state
 * pending → delivered → done, failed or expired. The outcome and its event are one commit, so there is exactly one outcome.
 */
import { Compile } from 'typebox/compile'
import { COMMAND_TTL, DeviceReceiptInput } from '../../../schemas/commands/devices.js'
import { object } from '../../../schemas/commands/parts.js'
import { Refusal } from '../../../schemas/errors.js'
import type { AppendResult, Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { DeviceCommandRecord } from '../../store/devices.js'
import { guardBy } from '../../store/fence.js'
import { effectOp, type Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { type Actor, requireAccount, requireUser } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { userEvent } from '../model/events.js'
import { readObject, stringify } from '../model/message.js'
import type { WrittenWith } from '../model/publication.js'
import { stamp } from '../model/stamp.js'
import { Trimming } from '../model/trimming.js'
import { logs } from '../model/views.js'
import type { DeviceRules } from './device-rules.js'
import { lockOf } from './devices.js'

const receiptShape = Compile(object(DeviceReceiptInput))

/** Maximum number of open commands per device. */
const MAX_OPEN = 100
/** Entries of a device's log that are kept. */
const KEPT_ENTRIES = 1024
/** Bytes per read. */
const READ_BYTES = 262_144
const KEPT_FINISHED = 200
/** Finished commands per read. */
const PAGE = 200
/** Greater than every id. */
const LAST_ID = 'g'

const ALONE: WrittenWith = { ops: [], lane: { fence: null } }

export interface DeviceCommandRequest {
  readonly name: string
  readonly params?: unknown
  readonly ttl?: number
  readonly cid?: string
}

export interface DeviceCommandsDeps {
  readonly store: Store
  readonly wheel: TimerWheel
  readonly rules: DeviceRules
  readonly failed: (error: unknown) => void
}

export class DeviceCommands implements Deadline {
  readonly #deps: DeviceCommandsDeps
  readonly #trimming: Trimming
  /** Devices on which commands have finished since the last trim. */
  readonly #finishedOn = new Set<string>()
  /** Unix ms of the next expiry, for which the timer is set; 0: none. */
  #next = 0

  constructor(deps: DeviceCommandsDeps) {
    this.#deps = deps
    this.#trimming = new Trimming(deps.store.log, KEPT_ENTRIES)
    this.reloaded()
  }

  /** Commands of a device have yet to end, sent from whatever node: each node looks after them, and what is stored decides which one ends them. */
  opened(device: string): void {
    for (const { expiresAt } of this.#devices.open.of(device).values()) this.#scheduleExpiry(expiresAt)
  }

  /** The commands in memory were read anew. */
  reloaded(): void {
    for (const { expiresAt } of this.#devices.allOpen()) this.#scheduleExpiry(expiresAt)
  }

  get #devices() {
    return this.#deps.store.directory.devices
  }

  /** Sends a command to a device. `seq` is the entry in the device's log. @throws Refusal */
  async send(
    actor: Actor,
    device: string,
    request: DeviceCommandRequest,
    beside: WrittenWith = ALONE,
  ): Promise<{ record: DeviceCommandRecord; seq: number }> {
    const { cid = null, ...rest } = request
    const checked = {
      cid,
      inside: stringify(rest).slice(1, -1),
      ttl: request.ttl ?? COMMAND_TTL,
      input: null,
      text: null,
    }
    const draft = stamp(actor, { log: logs.deviceCommands(device), place: '' }, checked, { qos: 1 })
    const { value, results } = await this.#deps.store.transact(lockOf(device), async (tx) => {
      guardBy(beside.lane.fence, tx)
      this.#deps.rules.with(tx.directory).require(actor, device, 'control')
      const earlier = await this.#retryResult(tx, device, draft, cid)
      if (earlier) return { ops: beside.ops, value: earlier }
      const { drafts, ops: own, value } = await this.#addition(tx, device, draft, request)
      return { drafts, ops: [...beside.ops, ...own], value }
    })
    const [result] = results
    if (!result) return value
    this.#trimming.appended(draft.log, result.seq)
    return { record: value.record, seq: result.seq }
  }

  /**
   * The result of an earlier command with the same cid. Looked up before the append, because the ops of an append are written for a retry
   * too.
   */
  async #retryResult(
    tx: Transaction,
    device: string,
    draft: Draft,
    cid: string | null,
  ): Promise<{ record: DeviceCommandRecord; seq: number } | null> {
    if (!draft.dedupe) return null
    tx.topic(`command ${device} ${draft.from} ${draft.dedupe.cid}`)
    const [result] = await commit(this.#deps.store, { drafts: [{ ...draft, retryOnly: true }] })
    const { outcome, id, seq } = result as AppendResult
    if (outcome === 'absent') return null
    if (outcome === 'conflict')
      throw new Refusal('conflict', `cid ${JSON.stringify(cid)} was used for another command`, { field: 'cid' })
    const { devices } = tx.directory
    const record = devices.open.get(device, id) ?? (await devices.finished(device, id))
    if (record) return { record, seq }
    throw new Refusal('conflict', 'this command was asked for before, and is forgotten', { field: 'cid' })
  }

  async #addition(tx: Transaction, device: string, draft: Draft, { name, params }: DeviceCommandRequest) {
    tx.limit({ table: 'openCommand', owner: device, most: MAX_OPEN })
    if (this.#devices.open.of(device).size >= MAX_OPEN)
      throw new Refusal('conflict', `${device} has ${MAX_OPEN} commands under way`)
    await requireAccount(tx.directory, { user: draft.from })
    const record: DeviceCommandRecord = {
      ...{ device, id: draft.id, name, ...(params === undefined ? {} : { params }), by: draft.from, at: draft.ts },
      ...{ expiresAt: draft.extra!.expiresAt, deliveredAt: 0, finishedAt: 0, state: 'pending' as const },
    }
    return { drafts: [draft], ops: tx.directory.devices.commandOps(record), value: { record, seq: 0 } }
  }

  /** The device acknowledged an entry of its log. */
  delivered(device: string, seq: number): void {
    this.#delivered(device, seq).catch(this.#deps.failed)
  }

  async #delivered(device: string, seq: number): Promise<void> {
    const { store } = this.#deps
    const [entry] = await store.log.read(logs.deviceCommands(device), seq - 1, 1, 1)
    if (entry?.seq !== seq) return
    const { id } = JSON.parse(entry.payload.toString('utf8')) as { id: string }
    await store.transact(lockOf(device), ({ directory: { devices } }) => {
      const known = devices.open.get(device, id)
      if (known?.state !== 'pending') return { value: null }
      return { ops: devices.commandOps({ ...known, state: 'delivered', deliveredAt: Date.now() }), value: null }
    })
  }

  /** The device's receipt for a command: `{id, ok, result?|error?}`. The first receipt counts. @throws Refusal */
  async receipt(actor: Actor, payload: Buffer, { ops, lane }: WrittenWith): Promise<void> {
    const device = requireUser(actor)
    const receipt = readObject(payload)
    if (!receipt) throw new Refusal('bad_request', 'expected {"id":…,"ok":…}')
    checkSchema(receiptShape, receipt)
    stringify(receipt)
    const { id, ok, result, error } = receipt as { id: string; ok: boolean; result?: unknown; error?: string }
    const state = ok ? ('done' as const) : ('failed' as const)
    const { value: refusal } = await this.#deps.store.transact(lockOf(device), async (tx) => {
      guardBy(lane.fence, tx)
      const known = tx.directory.devices.open.get(device, id)
      if (!known) {
        const refusal = refusalOfRepeated(await tx.directory.devices.finished(device, id), id, state)
        return { ops: refusal ? [] : ops, value: refusal }
      }
      const now = Date.now()
      if (known.expiresAt <= now) {
        const expired = { ...known, state: 'expired' as const }
        return { ...(await finishing(tx, expired)), value: refusalOfRepeated(expired, id, state) }
      }
      const outcome = { ...(result === undefined ? {} : { result }), ...(error === undefined ? {} : { error }) }
      const done = { ...known, ...outcome, state, deliveredAt: known.deliveredAt || now }
      const { drafts, ops: own } = await finishing(tx, done)
      return { drafts, ops: [...ops, ...own], value: null }
    })
    this.#finishedOn.add(device)
    if (refusal) throw refusal
  }

  /** A page, ascending. */
  async list(device: string, before: string = LAST_ID, limit: number) {
    const open = [...this.#devices.open.of(device).values()].filter(({ id }) => id < before)
    const finished = await this.#devices.finishedBefore(device, before, limit + 1)
    const all = [...open, ...finished].sort((a, b) => (a.id < b.id ? 1 : -1))
    return { commands: all.slice(0, limit).reverse(), more: all.length > limit }
  }

  #scheduleExpiry(at: number): void {
    if (this.#next !== 0 && this.#next <= at) return
    this.#next = at
    this.#deps.wheel.set(this, at)
  }

  due(now: number): number {
    let next = 0
    for (const record of this.#devices.allOpen()) {
      const { device, id, expiresAt } = record
      if (expiresAt <= now) void this.#expire(device, id).catch(this.#deps.failed)
      else if (next === 0 || expiresAt < next) next = expiresAt
    }
    this.#next = next
    return next
  }

  async #expire(device: string, id: string): Promise<void> {
    await this.#deps.store.transact(lockOf(device), async (tx) => {
      const known = tx.directory.devices.open.get(device, id)
      return known ? finishing(tx, { ...known, state: 'expired' }) : { value: null }
    })
    this.#finishedOn.add(device)
  }

  /** Deletes the oldest finished commands. */
  async trim(): Promise<void> {
    await this.#trimming.run()
    for (const device of [...this.#finishedOn]) {
      this.#finishedOn.delete(device)
      const kept = await this.#devices.finishedBefore(device, LAST_ID, KEPT_FINISHED)
      const oldest = kept.length < KEPT_FINISHED ? '' : kept[KEPT_FINISHED - 1]!.id
      for (
        let old = await this.#finishedPage(device, oldest);
        old.length > 0;
        old = await this.#finishedPage(device, oldest)
      )
        await commit(this.#deps.store, { ops: old.map(({ id }) => this.#devices.forgetOp(device, id)) })
    }
  }

  /** Deletes the commands of a deleted user to one device; open ones are withdrawn. */
  async withdraw(user: string, device: string): Promise<void> {
    const devices = this.#devices
    await this.#deps.store.transact(lockOf(device), async (tx) => {
      const { open } = tx.directory.devices
      const ops: Op[] = []
      for (const { id, by } of devices.open.of(device).values())
        if (by === user && open.get(device, id)) ops.push(open.wipeOp(device, id))
      for (let before = LAST_ID; ; ) {
        const page = await this.#finishedPage(device, before)
        for (const { id, by } of page) if (by === user) ops.push(devices.forgetOp(device, id))
        if (page.length < PAGE) break
        before = page.at(-1)!.id
      }
      if (ops.length > 0) ops.push(await this.#eraseOp(user, device))
      return { ops, value: null }
    })
  }

  /** Erases the user's entries in the device's log. */
  async #eraseOp(user: string, device: string): Promise<Op> {
    const { store } = this.#deps
    const log = logs.deviceCommands(device)
    const seqs: number[] = []
    for (let after = 0, left = KEPT_ENTRIES * 2; left > 0; ) {
      const entries = await store.log.read(log, after, left, READ_BYTES, 'shown')
      if (entries.length === 0) break
      for (const { seq, from } of entries) if (from === user) seqs.push(seq)
      after = entries.at(-1)!.seq
      left -= entries.length
    }
    return effectOp(log, { erase: { seqs, gone: { why: 'deleted', by: null, at: Date.now() } } })
  }

  #finishedPage(device: string, id: string): Promise<DeviceCommandRecord[]> {
    return this.#devices.finishedBefore(device, id, PAGE)
  }
}

/** Writes the outcome of a command, with an event to who sent it. */
async function finishing({ directory }: Transaction, record: DeviceCommandRecord): Promise<Decided> {
  const done = { ...record, finishedAt: Date.now() }
  const { device, id, name, state, by } = done
  const outcome = { device, command: id, name, state, ...('result' in done ? { result: done.result } : {}) }
  const event = {
    type: 'deviceCommand' as const,
    ...outcome,
    ...(done.error === undefined ? {} : { error: done.error }),
  }
  // If the account is deleted, another user may have the name by now.
  const drafts = (await directory.user(by)) ? [userEvent(by, event)] : []
  return { drafts, ops: directory.devices.commandOps(done), value: null }
}

type Decided = Required<Pick<Decision<null>, 'drafts' | 'ops' | 'value'>>

/** Null: a repeated receipt with the same outcome is accepted. */
function refusalOfRepeated(known: DeviceCommandRecord | null, id: string, state: string): Refusal | null {
  if (!known) return new Refusal('not_found', `there is no command ${id}`, { field: 'id' })
  if (known.state === state) return null
  return new Refusal('conflict', `command ${id} is ${known.state} already`, { field: 'id' })
}
