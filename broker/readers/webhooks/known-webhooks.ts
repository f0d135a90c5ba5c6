/** The webhooks as their records are: on every node, whatever node changes them. */
import type { Jobs } from '../../store/jobs.js'
import type { WebhookRecord } from '../../store/outbox.js'
import type { RecordChange } from '../../store/record-changes.js'
import { Webhook, type WebhookDeps } from './webhook.js'

export interface KnownWebhooksDeps extends WebhookDeps {
  readonly jobs: Pick<Jobs, 'add' | 'remove'>
}

export class KnownWebhooks {
  readonly #deps: KnownWebhooksDeps
  readonly #webhooks = new Map<string, Webhook>()

  constructor(deps: KnownWebhooksDeps) {
    this.#deps = deps
  }

  /** Follows the records from now on. */
  begin(): void {
    const { store } = this.#deps
    store.watch((change) => this.#on(change))
    store.onFresh(() => {
      for (const { worker } of this.#webhooks.values()) worker?.resume()
    })
    this.#followAll()
  }

  get(id: string): Webhook | undefined {
    return this.#webhooks.get(id)
  }

  all(): Iterable<Webhook> {
    return this.#webhooks.values()
  }

  /** Does what follows from the record as it is in memory. */
  follow(id: string): void {
    const { store, registry } = this.#deps
    const record = store.webhooks.get(id)
    const known = this.#webhooks.get(id)
    if (known && known.record.createdAt !== record?.createdAt) this.#drop(known)
    const kept = this.#webhooks.get(id)
    if (record && !kept) this.#add(record)
    else if (record && kept && kept.record !== record) {
      kept.change(record)
      registry.takesChanged()
    }
  }

  #on(change: RecordChange): void {
    if (change.kind === 'webhook') this.follow(change.webhook)
    else if (change.kind === 'retry') this.#webhooks.get(change.webhook)?.worker?.redelivery.begin()
    else if (change.kind === 'reloaded') this.#followAll()
  }

  #followAll(): void {
    const { store } = this.#deps
    const ids = new Set([...this.#webhooks.keys(), ...[...store.webhooks.all()].map(({ id }) => id)])
    for (const id of ids) this.follow(id)
    // They may have been asked for meanwhile.
    for (const { worker } of this.#webhooks.values()) worker?.redelivery.begin()
  }

  #add(record: WebhookRecord): void {
    const { jobs, registry, failed } = this.#deps
    const webhook = new Webhook(this.#deps, record)
    this.#webhooks.set(record.id, webhook)
    registry.register(webhook)
    jobs.add(webhook.job).catch(failed)
  }

  #drop(webhook: Webhook): void {
    const { jobs, registry, failed } = this.#deps
    this.#webhooks.delete(webhook.name)
    registry.unregister(webhook.name)
    jobs.remove(webhook.job.name).catch(failed)
  }
}
