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
import { effectOp, type Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { type Actor, requireUser } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { userEvent } from '../model/events.js'
import { readObject, stringify } from '../model/message.js'
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

export interface DeviceCommandRequest {
  readonly name: string
  readonly params?: unknown
  readonly ttl?: number
  readonly cid?: string
}

export interface DeviceCommandsDeps {
  readonly store: Store
  readonly locks: KeyedMutex
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
    for (const { expiresAt } of this.#devices.allOpen()) this.#scheduleExpiry(expiresAt)
  }

  get #devices() {
    return this.#deps.store.directory.devices
  }

  /** Sends a command to a device. `ops` are written in the same commit; `seq` is the entry in the device's log. @throws Refusal */
  send(
    actor: Actor,
    device: string,
    request: DeviceCommandRequest,
    ops: readonly Op[] = [],
  ): Promise<{ record: DeviceCommandRecord; seq: number }> {
    return this.#deps.locks.runExclusive(lockOf(device), async () => {
      this.#deps.rules.require(actor, device, 'control')
      const { cid = null, ...rest } = request
      const checked = {
        cid,
        inside: stringify(rest).slice(1, -1),
        ttl: request.ttl ?? COMMAND_TTL,
        input: null,
        text: null,
      }
      const log = logs.deviceCommands(device)
      const draft = stamp(actor, { log, place: '' }, checked, { qos: 1 })
      return (await this.#retryResult(device, draft)) ?? this.#append(device, draft, request, ops)
    })
  }

  /**
   * The result of an earlier command with the same cid. Looked up before the append, because the ops of an append are written for a retry
   * too.
   */
  async #retryResult(device: string, draft: Draft): Promise<{ record: DeviceCommandRecord; seq: number } | null> {
    if (!draft.dedupe) return null
    const [result] = await commit(this.#deps.store, { drafts: [{ ...draft, retryOnly: true }] })
    const { outcome, id, seq } = result as AppendResult
    if (outcome === 'absent') return null
    if (outcome === 'conflict')
      throw new Refusal('conflict', `cid ${JSON.stringify(draft.dedupe.cid)} was used for another command`, {
        field: 'cid',
      })
    const record = this.#devices.open.get(device, id) ?? (await this.#devices.finished(device, id))
    if (record) return { record, seq }
    throw new Refusal('conflict', 'this command was asked for before, and is forgotten', { field: 'cid' })
  }

  async #append(device: string, draft: Draft, { name, params }: DeviceCommandRequest, ops: readonly Op[]) {
    if (this.#devices.open.of(device).size >= MAX_OPEN)
      throw new Refusal('conflict', `${device} has ${MAX_OPEN} commands under way`)
    const record: DeviceCommandRecord = {
      ...{ device, id: draft.id, name, ...(params === undefined ? {} : { params }), by: draft.from, at: draft.ts },
      ...{ expiresAt: draft.extra!.expiresAt, deliveredAt: 0, finishedAt: 0, state: 'pending' as const },
    }
    const all = [...ops, ...this.#devices.commandOps(record)]
    const [result] = await commit(this.#deps.store, { drafts: [draft], ops: all })
    const { seq } = result as AppendResult
    this.#trimming.appended(draft.log, seq)
    this.#scheduleExpiry(record.expiresAt)
    return { record, seq }
  }

  /** The device acknowledged an entry of its log. */
  delivered(device: string, seq: number): void {
    this.#delivered(device, seq).catch(this.#deps.failed)
  }

  async #delivered(device: string, seq: number): Promise<void> {
    const { store, locks } = this.#deps
    const [entry] = await store.log.read(logs.deviceCommands(device), seq - 1, 1, 1)
    if (entry?.seq !== seq) return
    const { id } = JSON.parse(entry.payload.toString('utf8')) as { id: string }
    await locks.runExclusive(lockOf(device), async () => {
      const known = this.#devices.open.get(device, id)
      if (known?.state !== 'pending') return
      await commit(store, {
        ops: this.#devices.commandOps({ ...known, state: 'delivered', deliveredAt: Date.now() }),
      })
    })
  }

  /** The device's receipt for a command: `{id, ok, result?|error?}`. The first receipt counts. @throws Refusal */
  receipt(actor: Actor, payload: Buffer, ops: readonly Op[]): Promise<void> {
    const device = requireUser(actor)
    const receipt = readObject(payload)
    if (!receipt) throw new Refusal('bad_request', 'expected {"id":…,"ok":…}')
    checkSchema(receiptShape, receipt)
    stringify(receipt)
    const { id, ok, result, error } = receipt as { id: string; ok: boolean; result?: unknown; error?: string }
    const state = ok ? ('done' as const) : ('failed' as const)
    return this.#deps.locks.runExclusive(lockOf(device), async () => {
      const known = this.#devices.open.get(device, id)
      if (!known || known.expiresAt <= Date.now()) {
        if (known) await this.#finish({ ...known, state: 'expired' })
        return this.#requireSame(device, id, state, ops)
      }
      const outcome = { ...(result === undefined ? {} : { result }), ...(error === undefined ? {} : { error }) }
      const now = Date.now()
      await this.#finish({ ...known, ...outcome, state, deliveredAt: known.deliveredAt || now }, ops)
    })
  }

  /** Accepts a repeated receipt with the same outcome. @throws Refusal */
  async #requireSame(device: string, id: string, state: string, ops: readonly Op[]): Promise<void> {
    const known = await this.#devices.finished(device, id)
    if (!known) throw new Refusal('not_found', `there is no command ${id}`, { field: 'id' })
    if (known.state !== state) throw new Refusal('conflict', `command ${id} is ${known.state} already`, { field: 'id' })
    await commit(this.#deps.store, { ops })
  }

  async #finish(record: DeviceCommandRecord, ops: readonly Op[] = []): Promise<void> {
    const { store } = this.#deps
    const done = { ...record, finishedAt: Date.now() }
    const { device, id, name, state, by } = done
    const outcome = { device, command: id, name, state, ...('result' in done ? { result: done.result } : {}) }
    const event = {
      type: 'deviceCommand' as const,
      ...outcome,
      ...(done.error === undefined ? {} : { error: done.error }),
    }
    // If the account is deleted, another user may have the name by now.
    const drafts = (await store.directory.user(by)) ? [userEvent(by, event)] : []
    await commit(store, { drafts, ops: [...ops, ...this.#devices.commandOps(done)] })
    this.#finishedOn.add(device)
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

  #expire(device: string, id: string): Promise<void> {
    return this.#deps.locks.runExclusive(lockOf(device), async () => {
      const known = this.#devices.open.get(device, id)
      if (known) await this.#finish({ ...known, state: 'expired' })
    })
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
  withdraw(user: string, device: string): Promise<void> {
    const devices = this.#devices
    return this.#deps.locks.runExclusive(lockOf(device), async () => {
      const ops: Op[] = []
      for (const { id, by } of devices.open.of(device).values())
        if (by === user) ops.push(devices.open.wipeOp(device, id))
      for (let before = LAST_ID; ; ) {
        const page = await this.#finishedPage(device, before)
        for (const { id, by } of page) if (by === user) ops.push(devices.forgetOp(device, id))
        if (page.length < PAGE) break
        before = page.at(-1)!.id
      }
      if (ops.length > 0) await commit(this.#deps.store, { ops: [...ops, await this.#eraseOp(user, device)] })
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
