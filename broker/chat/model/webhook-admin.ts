import type { Static } from 'typebox'
import type { WEBHOOK_COMMANDS } from '../../../schemas/commands/webhooks.js'

type Table = typeof WEBHOOK_COMMANDS
type Result<N extends keyof Table> = Static<Table[N]['result']>

export type WebhookDetails = Static<Table['webhooks.create']['params']>
export type WebhookChanges = Omit<Static<Table['webhooks.update']['params']>, 'webhook'>
export type ShownWebhook = Result<'webhooks.list'>['webhooks'][number]
export type MadeWebhook = Result<'webhooks.create'>

/** What looks after webhooks; told who asks only once they may. Rejects with refusals. */
export interface WebhookAdmin {
  create(by: string, details: WebhookDetails): Promise<MadeWebhook>
  list(): ShownWebhook[]
  update(id: string, changes: WebhookChanges): Promise<MadeWebhook>
  remove(id: string): Promise<void>
  deliveries(id: string, after: string, limit: number): Promise<Result<'webhooks.deliveries'>>
  /** Answers how many are tried again. */
  retry(id: string, delivery?: string): Promise<number>
  test(id: string): Promise<Result<'webhooks.test'>>
  /** Of a user who is gone: the name as of who made a webhook, and dead letters about logs that went along. */
  forget(user: string): Promise<void>
}
