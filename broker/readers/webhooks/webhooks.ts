/** Manages all webhooks: creates, changes and removes them, and passes log entries to their workers. */

import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { directMembers, SYSTEM } from '../../../schemas/ids.js'
import { MAX_WEBHOOKS, TEST_EVENT } from '../../../schemas/webhooks.js'
import type { SecretBox } from '../../auth/secret-box.js'
import type {
  CreatedWebhook,
  WebhookAdmin,
  WebhookChanges,
  WebhookDetails,
  WebhookInfo,
} from '../../chat/model/webhook-admin.js'
import type { LogName } from '../../store/log-name.js'
import type { Op } from '../../store/op.js'
import type { WebhookRecord } from '../../store/outbox.js'
import { forgetReaderOps } from '../../store/reader-cursors.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import type { Counters } from '../../util/counters.js'
import { KeyedMutex } from '../../util/keyed-mutex.js'
import { newWebhookSecret } from '../../util/signature.js'
import type { TimerWheel } from '../../util/timer-wheel.js'
import { uuid7 as eventId } from '../../util/uuid7.js'
import type { ReaderRegistry, ReaderStart } from '../registry.js'
import { bodyOf, EventFilter } from './events.js'
import type { Poster } from './poster.js'
import { checkDetails, configured, existing, newWebhookId, ROTATION_MS, secretsOf } from './records.js'
import { WebhookWorker, type WebhookWorkerDeps } from './webhook-worker.js'

/** Names all webhooks. */
const ALL = 'webhooks'

export interface WebhooksDeps {
  readonly store: Store
  readonly registry: ReaderRegistry
  readonly wheel: TimerWheel
  readonly counters: Counters
  readonly poster: Poster
  readonly secretBox: SecretBox
  readonly config: Pick<Config, 'webhooks' | 'webhookDelivery'>
  readonly failed: (error: unknown) => void
  readonly note: WebhookWorkerDeps['note']
  readonly random?: () => number
}

export class Webhooks implements WebhookAdmin {
  readonly #deps: WebhooksDeps
  readonly #workers = new Map<string, WebhookWorker>()
  /**
   * Workers, which are of this process alone, change in the order in which their records do. What is stored is decided by transactions, and does
   * not depend on it.
   */
  readonly #locks = new KeyedMutex()

  private constructor(deps: WebhooksDeps) {
    this.#deps = deps
  }

  /** Must be opened before the first commit, so that no entry is missed. */
  static async open(deps: WebhooksDeps): Promise<Webhooks> {
    const webhooks = new Webhooks(deps)
    await webhooks.#load()
    return webhooks
  }

  async #load(): Promise<void> {
    const { store, registry, config } = this.#deps
    const { value } = await store.transact(ALL, async (tx) => {
      const known = await this.#all(tx)
      const listed = config.webhooks.map((entry) => configured(entry, known.get(entry.id)))
      const ids = new Set(listed.map(({ id }) => id))
      const others = [...known.values()].filter(({ id }) => !ids.has(id))
      // Nodes that start with the same configuration write nothing.
      const changed = listed.filter((record) => !isDeepStrictEqual(record, known.get(record.id)))
      const ops = changed.map((record) => tx.webhooks.putOp(record))
      for (const { id, source } of others) if (source === 'config') ops.push(...(await this.#forgetOps(id)))
      for (const record of listed)
        if (!known.has(record.id)) ops.push(...registry.cursorOps(record.id, await this.#starts(record)))
      return { ops, value: [...listed, ...others.filter(({ source }) => source === 'command')] }
    })
    for (const record of value) await this.#add(record)
  }

  /** All records, as a decision reads them. By id. */
  async #all({ topic, webhooks }: Transaction): Promise<Map<string, WebhookRecord>> {
    topic(ALL)
    const all = new Map<string, WebhookRecord>()
    for await (const { id } of this.#deps.store.webhooks.all()) {
      const record = await webhooks.get(id)
      if (record) all.set(id, record)
    }
    return all
  }

  async close(): Promise<void> {
    this.#deps.poster.close()
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()))
  }

  create(
    by: string,
    { webhook: id = newWebhookId(), secret = newWebhookSecret(), ...details }: WebhookDetails,
  ): Promise<CreatedWebhook> {
    return this.#locks.runExclusive('', async () => {
      const { store, registry, secretBox } = this.#deps
      checkDetails(details)
      const sealed = secretBox.seal(secret)
      const { value } = await store.transact(ALL, async (tx) => {
        const all = await this.#all(tx)
        if (all.has(id)) throw new Refusal('conflict', `there is a webhook ${id} already`, { field: 'webhook' })
        if (all.size >= MAX_WEBHOOKS) throw new Refusal('conflict', `at most ${MAX_WEBHOOKS} webhooks`)
        const { url, events, rooms = null, users = null, direct = false } = details
        const record: WebhookRecord = {
          ...{ id, source: 'command', url, events, rooms, users, direct },
          ...{ secret: sealed, previous: null, enabled: true, why: null },
          ...{ createdBy: (await tx.directory.user(by)) ? by : SYSTEM, createdAt: Date.now() },
        }
        const starts = await this.#starts(record)
        return { ops: [tx.webhooks.putOp(record), ...registry.cursorOps(id, starts)], value: { record, starts } }
      })
      await this.#add(value.record, value.starts)
      return { ...shown(this.#workers.get(id)!), secret }
    })
  }

  list(): WebhookInfo[] {
    return [...this.#workers.values()].map(shown)
  }

  update(id: string, changes: WebhookChanges): Promise<CreatedWebhook> {
    return this.#locks.runExclusive('', async () => {
      const { store, registry } = this.#deps
      const worker = this.#worker(id)
      const { enabled: asked, secret: given, rotate = false, ...details } = changes
      const secret = given ?? (rotate ? newWebhookSecret() : null)
      const { value } = await store.transact(ALL, async ({ webhooks }) => {
        const before = existing(id, await webhooks.get(id))
        if (before.source === 'config' && Object.keys(changes).some((key) => key !== 'enabled'))
          throw new Refusal('conflict', `${id} is in the configuration; only enabled can be changed here`)
        checkDetails(details)
        const enabled = asked ?? before.enabled
        const record: WebhookRecord = {
          ...before,
          ...details,
          ...(secret === null ? {} : this.#rotated(before, secret)),
          enabled,
          why: enabled ? null : before.why,
        }
        if (enabled && this.#secretsOf(record).length === 0)
          throw new Refusal('conflict', `the secret of ${id} cannot be read; set a new one`, { field: 'secret' })
        const starts = await this.#starts(record, worker)
        return { ops: [webhooks.putOp(record), ...registry.cursorOps(id, starts)], value: { record, starts } }
      })
      const begun = registry.begin(worker, value.starts)
      worker.change(value.record)
      registry.takesChanged()
      await begun
      return { ...shown(worker), secret }
    })
  }

  remove(id: string): Promise<void> {
    return this.#locks.runExclusive('', async () => {
      const worker = this.#worker(id)
      if (worker.record.source === 'config')
        throw new Refusal('conflict', `${id} is in the configuration; remove it there`)
      this.#workers.delete(id)
      worker.change({ ...worker.record, enabled: false })
      this.#deps.registry.unregister(id)
      await this.#deps.store.transact(ALL, async (tx) => {
        existing(id, await tx.webhooks.get(id))
        tx.topic(ALL)
        return { ops: await this.#forgetOps(id), value: null }
      })
    })
  }

  async deliveries(id: string, after: string, limit: number) {
    const page = await this.#worker(id).letters.page(after, limit + 1)
    const deliveries = page
      .slice(0, limit)
      .map(({ id, type, at, attempts, error }) => ({ delivery: id, id, type, at, attempts, error }))
    return { deliveries, more: page.length > limit }
  }

  async retry(id: string, delivery?: string): Promise<number> {
    const worker = this.#worker(id)
    if (delivery !== undefined && !(await worker.letters.get(delivery)))
      throw new Refusal('not_found', `there is no delivery ${delivery} to retry`, { field: 'delivery' })
    const ids = delivery === undefined ? await worker.letters.ids() : [delivery]
    worker.retry(ids)
    return ids.length
  }

  async test(id: string) {
    const worker = this.#worker(id)
    const event = eventId()
    const data = Buffer.from(JSON.stringify({ webhook: id }))
    const outcome = await worker.post(event, bodyOf(event, TEST_EVENT, Date.now(), '', data))
    if (outcome.kind === 'ended') throw new Refusal('unavailable', 'the broker is closing')
    const error = outcome.kind === 'taken' ? null : outcome.error
    return { ok: error === null, status: outcome.status, error }
  }

  removeUser(user: string): Promise<void> {
    return this.#locks.runExclusive('', async () => {
      const { store } = this.#deps
      const went = (log: LogName): boolean => isLogOf(user, log) && !store.directory.room(log.slice(2))
      for (const worker of this.#workers.values()) await worker.letters.forget(went)
      const { value } = await store.transact(ALL, async (tx) => {
        const mine = [...(await this.#all(tx)).values()].filter(({ createdBy }) => createdBy === user)
        const records = mine.map((record) => ({ ...record, createdBy: SYSTEM }))
        return { ops: records.map((record) => tx.webhooks.putOp(record)), value: records }
      })
      for (const record of value) this.#workers.get(record.id)?.change(record)
    })
  }

  #worker(id: string): WebhookWorker {
    return existing(id, this.#workers.get(id))
  }

  async #add(record: WebhookRecord, starts: readonly ReaderStart[] = []): Promise<void> {
    const { config, registry } = this.#deps
    const worker: WebhookWorker = new WebhookWorker(
      {
        ...this.#deps,
        options: config.webhookDelivery,
        random: this.#deps.random ?? Math.random,
        advanced: (log) => registry.advanced(log),
        gone: (id, why) => void this.#disable(id, why).catch(this.#deps.failed),
      },
      record,
      () => this.#secretsOf(worker.record),
    )
    await worker.letters.load()
    this.#workers.set(record.id, worker)
    const begun = registry.begin(worker, starts)
    registry.register(worker)
    await begun
    if (record.enabled && this.#secretsOf(record).length === 0)
      await this.#disable(record.id, 'its secret cannot be read, for the broker’s own has changed; set a new one')
  }

  #starts(record: WebhookRecord, worker?: WebhookWorker): Promise<ReaderStart[]> {
    const filter = new EventFilter(record)
    return this.#deps.registry.starts((log) => filter.takesLog(log), worker)
  }

  #disable(id: string, why: string): Promise<void> {
    return this.#locks.runExclusive('', async () => {
      const { store, counters, note } = this.#deps
      const worker = this.#workers.get(id)
      if (!worker?.record.enabled) return
      note('webhook: switched off', id, { webhook: id, why })
      worker.change({ ...worker.record, enabled: false, why })
      counters.add('webhooks.disabled')
      await store.transact(ALL, async ({ webhooks }) => {
        const record = await webhooks.get(id)
        return { ops: record ? [webhooks.putOp({ ...record, enabled: false, why })] : [], value: null }
      })
    })
  }

  #secretsOf(record: WebhookRecord): string[] {
    return secretsOf(record, this.#deps.config.webhooks, this.#deps.secretBox)
  }

  #rotated({ secret: previous }: WebhookRecord, secret: string): Pick<WebhookRecord, 'secret' | 'previous'> {
    return {
      secret: this.#deps.secretBox.seal(secret),
      previous: previous === null ? null : { secret: previous, until: Date.now() + ROTATION_MS },
    }
  }

  async #forgetOps(id: string): Promise<Op[]> {
    const { webhooks, tables } = this.#deps.store
    return [...webhooks.deleteOps(id), ...(await forgetReaderOps(tables, id))]
  }
}

/** Whether the log has notifications or a direct conversation of the user. */
function isLogOf(user: string, log: LogName): boolean {
  const name = log.slice(2)
  return log.startsWith('n:') ? name === user : (directMembers(name)?.includes(user) ?? false)
}

function shown(worker: WebhookWorker): WebhookInfo {
  const { secret: _, previous: __, ...record } = worker.record
  return {
    webhook: record.id,
    ...record,
    events: [...record.events],
    rooms: record.rooms && [...record.rooms],
    users: record.users && [...record.users],
    behind: worker.lagging,
    dead: worker.letters.count,
    lastSuccess: worker.lastSuccess,
    lastError: worker.lastError,
  }
}
