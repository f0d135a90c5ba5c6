/** Creates, changes and removes webhooks, and says how they are, on whatever node they are served. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { directMembers, SYSTEM } from '../../../schemas/ids.js'
import { MAX_WEBHOOKS, TEST_EVENT } from '../../../schemas/webhooks.js'
import type {
  CreatedWebhook,
  WebhookAdmin,
  WebhookChanges,
  WebhookDetails,
  WebhookInfo,
} from '../../chat/model/webhook-admin.js'
import { type Fence, guardBy } from '../../store/fence.js'
import type { LogName } from '../../store/log-name.js'
import type { Op } from '../../store/op.js'
import type { WebhookRecord, WebhookState } from '../../store/outbox.js'
import { forgetReaderOps } from '../../store/reader-cursors.js'
import type { Transaction } from '../../store/transaction.js'
import { newWebhookSecret } from '../../util/signature.js'
import { uuid7 as eventId } from '../../util/uuid7.js'
import { OUTBOX_READERS } from '../marks.js'
import { allLetters, forgetLetters } from './dead-letters.js'
import { bodyOf, EventFilter } from './events.js'
import { KnownWebhooks, type KnownWebhooksDeps } from './known-webhooks.js'
import { checkDetails, configured, existing, newWebhookId, ROTATION_MS, secretsOf } from './records.js'
import { jobOfWebhook, type Webhook } from './webhook.js'

/** Dead letters that are to be tried again, in a change. */
const RETRIES = 100
const NEVER_SERVED: WebhookState = { behind: 0, dead: 0, lastSuccess: null, lastError: null }

export interface WebhooksDeps extends Omit<KnownWebhooksDeps, 'options' | 'disable' | 'random'> {
  readonly config: Pick<Config, 'webhooks' | 'webhookDelivery'>
  readonly random?: () => number
}

export class Webhooks implements WebhookAdmin {
  readonly #deps: WebhooksDeps
  readonly #known: KnownWebhooks

  private constructor(deps: WebhooksDeps) {
    this.#deps = deps
    this.#known = new KnownWebhooks({
      ...deps,
      random: deps.random ?? Math.random,
      options: deps.config.webhookDelivery,
      disable: (id, why, url, fence) => this.#disable(id, why, url, fence),
    })
  }

  /** Must be opened before the first commit, so that no entry is missed. */
  static async open(deps: WebhooksDeps): Promise<Webhooks> {
    const webhooks = new Webhooks(deps)
    await webhooks.#storeConfigured()
    webhooks.#known.begin()
    return webhooks
  }

  /** Nodes that start with the same configuration write nothing. */
  async #storeConfigured(): Promise<void> {
    const { store, config, secretBox } = this.#deps
    await store.transact(OUTBOX_READERS, async (tx) => {
      const known = this.#all(tx)
      const listed = config.webhooks.map((entry) => configured(entry, known.get(entry.id), secretBox))
      const ids = new Set(listed.map(({ id }) => id))
      const changed = listed.filter((record) => !isDeepStrictEqual(record, known.get(record.id)))
      const ops: Op[] = []
      for (const record of changed) ops.push(...(await this.#putOps(tx, record, known.get(record.id))))
      for (const { id, source } of known.values())
        if (source === 'config' && !ids.has(id)) ops.push(...(await this.#forgetOps(id)))
      return { ops, value: null }
    })
  }

  /** All records, as a decision reads them. By id. */
  #all({ topic, webhooks }: Pick<Transaction, 'topic' | 'webhooks'>): Map<string, WebhookRecord> {
    topic(OUTBOX_READERS)
    return new Map([...webhooks.all()].map((record) => [record.id, record]))
  }

  async create(
    by: string,
    { webhook: id = newWebhookId(), secret = newWebhookSecret(), ...details }: WebhookDetails,
  ): Promise<CreatedWebhook> {
    const { store, secretBox } = this.#deps
    checkDetails(details)
    const sealed = secretBox.seal(secret)
    const { value } = await store.transact(OUTBOX_READERS, async (tx) => {
      const all = this.#all(tx)
      if (all.has(id)) throw new Refusal('conflict', `there is a webhook ${id} already`, { field: 'webhook' })
      if (all.size >= MAX_WEBHOOKS) throw new Refusal('conflict', `at most ${MAX_WEBHOOKS} webhooks`)
      const { url, events, rooms = null, users = null, direct = false } = details
      const record: WebhookRecord = {
        ...{ id, source: 'command', url, events, rooms, users, direct },
        ...{ secret: sealed, previous: null, enabled: true, why: null },
        ...{ createdBy: (await tx.directory.user(by)) ? by : SYSTEM, createdAt: Date.now() },
      }
      return { ops: await this.#putOps(tx, record, undefined), value: record }
    })
    this.#known.follow(id)
    return { ...shown(value, NEVER_SERVED), secret }
  }

  async list(): Promise<WebhookInfo[]> {
    return Promise.all([...this.#known.all()].map(async (one) => shown(one.record, await this.#stateOf(one))))
  }

  async update(id: string, changes: WebhookChanges): Promise<CreatedWebhook> {
    const { store, registry, secretBox } = this.#deps
    const { enabled: asked, secret: given, rotate = false, ...details } = changes
    const secret = given ?? (rotate ? newWebhookSecret() : null)
    const { value } = await store.transact(OUTBOX_READERS, async (tx) => {
      const before = existing(id, tx.webhooks.get(id))
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
      if (enabled && secretsOf(record, secretBox).length === 0)
        throw new Refusal('conflict', `the secret of ${id} cannot be read; set a new one`, { field: 'secret' })
      return { ops: await this.#putOps(tx, record, before), value: record }
    })
    this.#known.follow(id)
    await registry.forgetUnwanted()
    const state = await this.#stateOf(this.#known.get(id))
    return { ...shown(value, state), secret }
  }

  async remove(id: string): Promise<void> {
    await this.#deps.store.transact(OUTBOX_READERS, async (tx) => {
      const { source } = existing(id, tx.webhooks.get(id))
      if (source === 'config') throw new Refusal('conflict', `${id} is in the configuration; remove it there`)
      tx.topic(OUTBOX_READERS)
      return { ops: await this.#forgetOps(id), value: null }
    })
    this.#known.follow(id)
    await this.#deps.registry.forgetUnwanted()
  }

  async deliveries(id: string, after: string, limit: number) {
    this.#existing(id)
    const page = await this.#deps.store.webhooks.letters(id, after, limit + 1)
    const deliveries = page
      .slice(0, limit)
      .map(({ id, type, at, attempts, error }) => ({ delivery: id, id, type, at, attempts, error }))
    return { deliveries, more: page.length > limit }
  }

  /** The node that serves it hears of it by the store. */
  async retry(id: string, delivery?: string): Promise<number> {
    this.#existing(id)
    if (delivery !== undefined) {
      if ((await this.#retryAll(id, [delivery])) === 0)
        throw new Refusal('not_found', `there is no delivery ${delivery} to retry`, { field: 'delivery' })
      return 1
    }
    const ids: string[] = []
    for await (const letter of allLetters(this.#deps.store, id)) ids.push(letter.id)
    let count = 0
    for (let i = 0; i < ids.length; i += RETRIES) count += await this.#retryAll(id, ids.slice(i, i + RETRIES))
    return count
  }

  /** Resolves with the number of those that there are. */
  async #retryAll(webhook: string, ids: readonly string[]): Promise<number> {
    const { value } = await this.#deps.store.transact(`retries of ${webhook}`, async ({ webhooks }) => {
      existing(webhook, webhooks.get(webhook))
      const letters = await Promise.all(ids.map((id) => webhooks.letter(webhook, id)))
      const found = letters.filter((letter) => letter !== null)
      return { ops: found.map(({ id }) => webhooks.retryOp(webhook, id)), value: found.length }
    })
    return value
  }

  async test(id: string) {
    const webhook = this.#existing(id)
    const event = eventId()
    const data = Buffer.from(JSON.stringify({ webhook: id }))
    const outcome = await webhook.post(event, bodyOf(event, TEST_EVENT, Date.now(), '', data))
    if (outcome.kind === 'ended') throw new Refusal('unavailable', 'the broker is closing')
    const error = outcome.kind === 'taken' ? null : outcome.error
    return { ok: error === null, status: outcome.status, error }
  }

  async removeUser(user: string): Promise<void> {
    const { store } = this.#deps
    const went = (log: LogName): boolean => isLogOf(user, log) && !store.directory.room(log.slice(2))
    const forgotten = new Set<string>()
    for (const { id } of [...store.webhooks.all()]) if (await forgetLetters(store, id, went)) forgotten.add(id)
    await store.transact(OUTBOX_READERS, async (tx) => {
      // That it is written tells the node that serves it to count its dead letters anew.
      const changed = [...this.#all(tx).values()].filter(({ id, createdBy }) => createdBy === user || forgotten.has(id))
      const ops = changed.map((record) =>
        tx.webhooks.putOp(record.createdBy === user ? { ...record, createdBy: SYSTEM } : record),
      )
      return { ops, value: null }
    })
  }

  #existing(id: string): Webhook {
    return existing(id, this.#known.get(id))
  }

  /** What the node that serves it last said, which may be this one. */
  async #stateOf(webhook: Webhook | undefined): Promise<WebhookState> {
    if (!webhook) return NEVER_SERVED
    return webhook.worker?.state ?? (await this.#deps.store.webhooks.state(webhook.record.id)) ?? NEVER_SERVED
  }

  /** With the record, where it begins in logs that others are still reading. */
  async #putOps(tx: Transaction, record: WebhookRecord, before: WebhookRecord | undefined): Promise<Op[]> {
    const { registry } = this.#deps
    const filter = new EventFilter(record)
    const former = before && new EventFilter(before)
    const put = tx.webhooks.putOp(record)
    if (former?.isSame(filter)) return [put]
    tx.topic(OUTBOX_READERS)
    const starts = await registry.starts((log) => filter.takesLog(log) && !former?.takesLog(log))
    return [put, ...registry.cursorOps(record.id, starts)]
  }

  /** @param url It is another receiver by now if it has another one */
  async #disable(id: string, why: string, url: string, fence: Fence | null): Promise<void> {
    const { store, counters, note } = this.#deps
    const { value: isDisabled } = await store.transact(OUTBOX_READERS, (tx) => {
      guardBy(fence, tx)
      const record = tx.webhooks.get(id)
      if (!record?.enabled || record.url !== url) return { value: false }
      return { ops: [tx.webhooks.putOp({ ...record, enabled: false, why })], value: true }
    })
    if (!isDisabled) return
    note('webhook: switched off', id, { webhook: id, why })
    counters.add('webhooks.disabled')
  }

  #rotated({ secret: previous }: WebhookRecord, secret: string): Pick<WebhookRecord, 'secret' | 'previous'> {
    return {
      secret: this.#deps.secretBox.seal(secret),
      previous: previous === null ? null : { secret: previous, until: Date.now() + ROTATION_MS },
    }
  }

  async #forgetOps(id: string): Promise<Op[]> {
    const { webhooks, jobOwners, tables } = this.#deps.store
    return [
      ...webhooks.deleteOps(id),
      jobOwners.deleteOwnerOp(jobOfWebhook(id)),
      ...(await forgetReaderOps(tables, id)),
    ]
  }
}

/** Whether the log has notifications or a direct conversation of the user. */
function isLogOf(user: string, log: LogName): boolean {
  const name = log.slice(2)
  return log.startsWith('n:') ? name === user : (directMembers(name)?.includes(user) ?? false)
}

function shown({ secret: _, previous: __, ...record }: WebhookRecord, state: WebhookState): WebhookInfo {
  return {
    webhook: record.id,
    ...record,
    events: [...record.events],
    rooms: record.rooms && [...record.rooms],
    users: record.users && [...record.users],
    ...state,
  }
}
