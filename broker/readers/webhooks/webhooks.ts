/** All webhooks: made, changed and removed, and told what the logs have. Which logs they have yet to read, the store's marks say. */

import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { directMembers, SYSTEM } from '../../../schemas/ids.js'
import { MAX_WEBHOOKS, TEST_EVENT, unknownEvents } from '../../../schemas/webhooks.js'
import type { Sealer } from '../../auth/sealing.js'
import type {
  MadeWebhook,
  ShownWebhook,
  WebhookAdmin,
  WebhookChanges,
  WebhookDetails,
} from '../../chat/model/webhook-admin.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import type { WebhookRecord } from '../../store/outbox.js'
import type { AppendedBatch, LogName, Store } from '../../store/store.js'
import type { Counters } from '../../util/counters.js'
import { Turns } from '../../util/keyed-mutex.js'
import { newWebhookSecret } from '../../util/signature.js'
import type { Wheel } from '../../util/timer-wheel.js'
import { messageId as eventId } from '../../util/uuid7.js'
import { bodyOf } from './events.js'
import { OutboxKeeper } from './outbox-keeper.js'
import type { Poster } from './poster.js'
import { configured, newWebhookId, ROTATION_MS, secretsOf } from './records.js'
import { Teller, type TellerParts } from './webhook-worker.js'

export interface WebhooksParts {
  readonly store: Store
  readonly wheel: Wheel
  readonly counters: Counters
  readonly poster: Poster
  readonly sealer: Sealer
  readonly config: Pick<Config, 'webhooks' | 'webhookDelivery'>
  readonly failed: (error: unknown) => void
  readonly note: TellerParts['note']
  readonly random?: () => number
}

export class Webhooks implements WebhookAdmin {
  readonly #parts: WebhooksParts
  readonly #tellers = new Map<string, Teller>()
  readonly #keeper: OutboxKeeper
  readonly #turns = new Turns()

  private constructor(parts: WebhooksParts) {
    this.#parts = parts
    this.#keeper = new OutboxKeeper({ ...parts, tellers: this.#tellers })
  }

  /** Before anything is committed: what is, is told from then on. */
  static async open(parts: WebhooksParts): Promise<Webhooks> {
    const webhooks = new Webhooks(parts)
    await webhooks.#load()
    return webhooks
  }

  async #load(): Promise<void> {
    const { store, config } = this.#parts
    const known = new Map<string, WebhookRecord>()
    for await (const record of store.webhooks.all()) known.set(record.id, record)
    const listed = config.webhooks.map((entry) => configured(entry, known.get(entry.id)))
    const ids = new Set(listed.map(({ id }) => id))
    const others = [...known.values()].filter(({ id }) => !ids.has(id))
    const removed = others.filter(({ source }) => source === 'config')
    const ops = listed.map((record) => store.webhooks.putOp(record))
    for (const { id } of removed) ops.push(...(await this.#forgetOps(id)))
    for (const record of listed) if (!known.has(record.id)) ops.push(...(await this.#keeper.startOps(record)))
    if (ops.length > 0) await commit(store, { ops })
    for (const record of [...listed, ...others.filter(({ source }) => source === 'command')]) await this.#add(record)
    await this.#keeper.open()
  }

  /** Told of every commit. */
  appended(batches: readonly AppendedBatch[]): void {
    if (this.#tellers.size > 0) this.#keeper.appended(batches)
  }

  async close(): Promise<void> {
    this.#parts.poster.close()
    await Promise.all([...this.#tellers.values()].map((teller) => teller.close()))
    await this.#keeper.close()
  }

  create(
    by: string,
    { webhook: id = newWebhookId(), secret = newWebhookSecret(), ...details }: WebhookDetails,
  ): Promise<MadeWebhook> {
    return this.#turns.take('', async () => {
      const { store, sealer } = this.#parts
      checkDetails(details)
      if (this.#tellers.has(id)) throw new Refusal('conflict', `there is a webhook ${id} already`, { field: 'webhook' })
      if (this.#tellers.size >= MAX_WEBHOOKS) throw new Refusal('conflict', `at most ${MAX_WEBHOOKS} webhooks`)
      const { url, events, rooms = null, users = null, direct = false } = details
      const record: WebhookRecord = {
        ...{ id, source: 'command', url, events, rooms, users, direct },
        ...{ secret: sealer.seal(secret), previous: null, enabled: true, why: null },
        ...{ createdBy: by, createdAt: Date.now() },
      }
      await commit(store, { ops: [store.webhooks.putOp(record), ...(await this.#keeper.startOps(record))] })
      await this.#add(record)
      return { ...shown(this.#tellers.get(id)!), secret }
    })
  }

  list(): ShownWebhook[] {
    return [...this.#tellers.values()].map(shown)
  }

  update(id: string, changes: WebhookChanges): Promise<MadeWebhook> {
    return this.#turns.take('', async () => {
      const { store } = this.#parts
      const teller = this.#teller(id)
      const { record: before } = teller
      const { enabled = before.enabled, secret: given, rotate = false, ...details } = changes
      if (before.source === 'config' && Object.keys(changes).some((key) => key !== 'enabled'))
        throw new Refusal('conflict', `${id} is in the configuration; only enabled can be changed here`)
      checkDetails(details)
      const secret = given ?? (rotate ? newWebhookSecret() : null)
      const record: WebhookRecord = {
        ...before,
        ...details,
        ...(secret === null ? {} : this.#rotated(before, secret)),
        enabled,
        why: enabled ? null : before.why,
      }
      if (enabled && this.#secretsOf(record).length === 0)
        throw new Refusal('conflict', `the secret of ${id} cannot be read; set a new one`, { field: 'secret' })
      await commit(store, { ops: [store.webhooks.putOp(record), ...(await this.#keeper.startOps(record, teller))] })
      teller.change(record)
      this.#keeper.narrowed()
      return { ...shown(teller), secret }
    })
  }

  remove(id: string): Promise<void> {
    return this.#turns.take('', async () => {
      const teller = this.#teller(id)
      if (teller.record.source === 'config')
        throw new Refusal('conflict', `${id} is in the configuration; remove it there`)
      this.#tellers.delete(id)
      teller.change({ ...teller.record, enabled: false })
      await commit(this.#parts.store, { ops: await this.#forgetOps(id) })
      this.#keeper.narrowed()
    })
  }

  async deliveries(id: string, after: string, limit: number) {
    const page = await this.#teller(id).letters.page(after, limit + 1)
    const deliveries = page
      .slice(0, limit)
      .map(({ id, type, at, attempts, error }) => ({ delivery: id, id, type, at, attempts, error }))
    return { deliveries, more: page.length > limit }
  }

  async retry(id: string, delivery?: string): Promise<number> {
    const teller = this.#teller(id)
    if (delivery !== undefined && !(await teller.letters.get(delivery)))
      throw new Refusal('not_found', `there is no delivery ${delivery} to retry`, { field: 'delivery' })
    const ids = delivery === undefined ? await teller.letters.ids() : [delivery]
    teller.retry(ids)
    return ids.length
  }

  async test(id: string) {
    const teller = this.#teller(id)
    const event = eventId()
    const data = Buffer.from(JSON.stringify({ webhook: id }))
    const outcome = await teller.post(event, bodyOf(event, TEST_EVENT, Date.now(), '', data))
    if (outcome.kind === 'ended') throw new Refusal('unavailable', 'the broker is closing')
    const error = outcome.kind === 'taken' ? null : outcome.error
    return { ok: error === null, status: outcome.status, error }
  }

  forget(user: string): Promise<void> {
    return this.#turns.take('', async () => {
      const { store } = this.#parts
      const went = (log: LogName): boolean => isLogOf(user, log) && !store.directory.room(log.slice(2))
      for (const teller of this.#tellers.values()) {
        await teller.letters.forget(went)
        if (teller.record.createdBy !== user) continue
        const record = { ...teller.record, createdBy: SYSTEM }
        await commit(store, { ops: [store.webhooks.putOp(record)] })
        teller.change(record)
      }
    })
  }

  #teller(id: string): Teller {
    const teller = this.#tellers.get(id)
    if (!teller) throw new Refusal('not_found', `there is no webhook ${id}`, { field: 'webhook' })
    return teller
  }

  async #add(record: WebhookRecord): Promise<void> {
    const { config } = this.#parts
    const teller: Teller = new Teller(
      {
        ...this.#parts,
        options: config.webhookDelivery,
        random: this.#parts.random ?? Math.random,
        moved: (log) => this.#keeper.moved(log),
        gone: (id, why) => void this.#disable(id, why).catch(this.#parts.failed),
      },
      record,
      () => this.#secretsOf(teller.record),
    )
    await teller.letters.load()
    this.#tellers.set(record.id, teller)
    this.#keeper.widened()
    if (record.enabled && this.#secretsOf(record).length === 0)
      await this.#disable(record.id, 'its secret cannot be read, for the broker’s own has changed; set a new one')
  }

  #disable(id: string, why: string): Promise<void> {
    return this.#turns.take('', async () => {
      const { store, counters, note } = this.#parts
      const teller = this.#tellers.get(id)
      if (!teller?.record.enabled) return
      note('webhook: switched off', id, { webhook: id, why })
      const record = { ...teller.record, enabled: false, why }
      teller.change(record)
      counters.add('webhooks.disabled')
      await commit(store, { ops: [store.webhooks.putOp(record)] })
    })
  }

  #secretsOf(record: WebhookRecord): string[] {
    return secretsOf(record, this.#parts.config.webhooks, this.#parts.sealer)
  }

  #rotated({ secret: previous }: WebhookRecord, secret: string): Pick<WebhookRecord, 'secret' | 'previous'> {
    return {
      secret: this.#parts.sealer.seal(secret),
      previous: previous === null ? null : { secret: previous, until: Date.now() + ROTATION_MS },
    }
  }

  async #forgetOps(id: string): Promise<Op[]> {
    const { webhooks, outbox } = this.#parts.store
    return [...(await webhooks.deleteOps(id)), ...(await outbox.forgetOps(id))]
  }
}

/** Notifications, or a direct conversation, of the user. */
function isLogOf(user: string, log: LogName): boolean {
  const name = log.slice(2)
  return log.startsWith('n:') ? name === user : (directMembers(name)?.includes(user) ?? false)
}

function checkDetails({ url, events }: { url?: string | undefined; events?: readonly string[] | undefined }): void {
  if (url !== undefined) {
    const target = URL.canParse(url) ? new URL(url) : null
    if (!target) throw new Refusal('bad_request', 'expected a URL', { field: 'url' })
    // It would be stored, and shown, in the clear.
    if (target.username !== '' || target.password !== '')
      throw new Refusal('bad_request', 'a URL must hold no password; check the signature instead', { field: 'url' })
  }
  const [unknown] = unknownEvents(events ?? [])
  if (unknown !== undefined) throw new Refusal('bad_request', `there is no event ${unknown}`, { field: 'events' })
}

function shown(teller: Teller): ShownWebhook {
  const { secret: _, previous: __, ...record } = teller.record
  return {
    webhook: record.id,
    ...record,
    events: [...record.events],
    rooms: record.rooms && [...record.rooms],
    users: record.users && [...record.users],
    behind: teller.behind,
    dead: teller.letters.count,
    lastSuccess: teller.lastSuccess,
    lastError: teller.lastError,
  }
}
