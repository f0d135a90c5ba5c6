import type { Static } from 'typebox'
import type { WEBHOOK_COMMANDS } from '../../../schemas/commands/webhooks.js'
import { type Actor, requireAdmin } from '../actor.js'
import type { Handlers } from '../commands.js'

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

export function webhookCommands(webhooks: WebhookAdmin): Handlers<keyof Table> {
  const require = (actor: Actor): string => requireAdmin(actor, 'webhooks are for admins')
  return {
    'webhooks.create': async (actor, params) => JSON.stringify(await webhooks.create(require(actor), params)),
    'webhooks.list': async (actor, { after = '', limit = 100 }) => {
      require(actor)
      const all = webhooks.list().filter(({ id }) => id > after)
      const page = all.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit)
      return JSON.stringify({ webhooks: page, more: all.length > limit })
    },
    'webhooks.update': async (actor, { webhook, ...changes }) => {
      require(actor)
      return JSON.stringify(await webhooks.update(webhook, changes))
    },
    'webhooks.delete': async (actor, { webhook }) => {
      require(actor)
      await webhooks.remove(webhook)
      return '{}'
    },
    'webhooks.deliveries': async (actor, { webhook, after = '', limit = 100 }) => {
      require(actor)
      return JSON.stringify(await webhooks.deliveries(webhook, after, limit))
    },
    'webhooks.retry': async (actor, { webhook, delivery }) => {
      require(actor)
      return JSON.stringify({ retrying: await webhooks.retry(webhook, delivery) })
    },
    'webhooks.test': async (actor, { webhook }) => {
      require(actor)
      return JSON.stringify(await webhooks.test(webhook))
    },
  }
}
