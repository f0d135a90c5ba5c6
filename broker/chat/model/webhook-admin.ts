import type { Static } from 'typebox'
import type { WEBHOOK_COMMANDS } from '../../../schemas/commands/webhooks.js'

type Table = typeof WEBHOOK_COMMANDS
type Result<N extends keyof Table> = Static<Table[N]['result']>

export type WebhookDetails = Static<Table['webhooks.create']['params']>
export type WebhookChanges = Omit<Static<Table['webhooks.update']['params']>, 'webhook'>
export type WebhookInfo = Result<'webhooks.list'>['webhooks'][number]
export type CreatedWebhook = Result<'webhooks.create'>

/** Manages webhooks. The caller checks permissions first. Rejects with refusals. */
export interface WebhookAdmin {
  create(by: string, details: WebhookDetails): Promise<CreatedWebhook>
  list(): Promise<WebhookInfo[]>
  update(id: string, changes: WebhookChanges): Promise<CreatedWebhook>
  remove(id: string): Promise<void>
  deliveries(id: string, after: string, limit: number): Promise<Result<'webhooks.deliveries'>>
  /** Resolves with the number of deliveries that are retried. */
  retry(id: string, delivery?: string): Promise<number>
  test(id: string): Promise<Result<'webhooks.test'>>
  /** Removes a deleted user: as creator of webhooks, and from dead letters about logs deleted with the user. */
  removeUser(user: string): Promise<void>
}
