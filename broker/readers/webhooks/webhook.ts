/** A webhook as every node knows it: which logs it takes, and how it is posted to. One node at a time serves it, as a job (store/jobs.ts). */
import type { Config } from '../../../schemas/config.js'
import type { SecretBox } from '../../auth/secret-box.js'
import type { Fence } from '../../store/fence.js'
import type { Job } from '../../store/job.js'
import type { LogName } from '../../store/log-name.js'
import type { WebhookRecord } from '../../store/outbox.js'
import type { OutboxReader } from '../reader.js'
import type { ReaderRegistry } from '../registry.js'
import { attempt, type Outcome } from './attempt.js'
import { EventFilter } from './events.js'
import type { Poster } from './poster.js'
import { secretsOf } from './records.js'
import type { ServedWebhook, WebhookWorkerDeps } from './served-webhook.js'
import { WebhookWorker } from './webhook-worker.js'

/** Ms that a receiver has to answer what it was sent, before another node goes on; and before a single node ends, which tells the event again later. */
const HANDOVER = 5000
const STOP = 1000

export interface WebhookDeps extends Omit<WebhookWorkerDeps, 'options' | 'advanced' | 'stateChanged' | 'gone'> {
  readonly registry: ReaderRegistry
  readonly poster: Poster
  readonly secretBox: SecretBox
  readonly options: Config['webhookDelivery']
  /** Disables it, if it is still of this URL. */
  readonly disable: (webhook: string, why: string, url: string, fence: Fence | null) => Promise<void>
}

/** The name of the job of serving a webhook. */
export function jobOfWebhook(id: string): string {
  return `webhook/${id}`
}

export class Webhook implements OutboxReader, ServedWebhook {
  readonly positions = 'outbox'
  readonly job: Job
  readonly #deps: WebhookDeps
  #record: WebhookRecord
  #filter: EventFilter
  #worker: WebhookWorker | null = null

  constructor(deps: WebhookDeps, record: WebhookRecord) {
    this.#deps = deps
    this.#record = record
    this.#filter = new EventFilter(record)
    this.job = {
      name: jobOfWebhook(record.id),
      begin: (fence) => this.#begin(fence),
      end: () => this.#end(),
    }
  }

  get name(): string {
    return this.#record.id
  }

  get record(): WebhookRecord {
    return this.#record
  }

  get filter(): EventFilter {
    return this.#filter
  }

  /** Null: this node does not serve it. */
  get worker(): WebhookWorker | null {
    return this.#worker
  }

  takesLog(log: LogName): boolean {
    return this.#filter.takesLog(log)
  }

  /** A single attempt, independent of what is served. */
  post(id: string, body: Buffer, signal?: AbortSignal): Promise<Outcome> {
    const { poster, options } = this.#deps
    const { url } = this.#record
    return attempt(poster, {
      url,
      secrets: this.secrets,
      id,
      body,
      timeout: options.timeout,
      ...(signal && { signal }),
    })
  }

  /** The current signing secrets; empty if they cannot be read. */
  get secrets(): string[] {
    return secretsOf(this.#record, this.#deps.secretBox)
  }

  /** The record was stored. */
  change(record: WebhookRecord): void {
    const before = this.#filter
    this.#record = record
    this.#filter = new EventFilter(record)
    const worker = this.#worker
    if (!worker) return
    worker.changed()
    const { registry, failed } = this.#deps
    if (!this.#filter.isSame(before)) registry.takesMore(record.id).catch(failed)
    worker.recount().catch(failed)
  }

  async #begin(fence: Fence | null): Promise<void> {
    const { registry, options, disable } = this.#deps
    const { id } = this.#record
    const worker = new WebhookWorker(
      {
        ...this.#deps,
        options,
        advanced: (log) => registry.advanced(log),
        stateChanged: () => registry.saveSoon(),
        gone: (url, why) => disable(id, why, url, fence),
      },
      this,
      fence,
    )
    this.#worker = worker
    await worker.load()
    await registry.serve(this, worker, fence)
    worker.redelivery.begin()
    if (this.#record.enabled && this.secrets.length === 0) await disable(id, UNREADABLE, this.#record.url, fence)
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    await worker.stop(worker.isFenced ? HANDOVER : STOP)
    await this.#deps.registry.release(this.name)
    this.#worker = null
  }
}

const UNREADABLE = 'its secret cannot be read, for the broker’s own has changed; set a new one'
