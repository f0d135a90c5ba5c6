import type { WEBHOOK_COMMANDS } from '../../../schemas/commands/webhooks.js'
import { type Actor, requireAdmin } from '../model/actor.js'
import type { WebhookAdmin } from '../model/webhook-admin.js'
import type { Handlers } from './table.js'

export function webhookCommands(webhooks: WebhookAdmin): Handlers<keyof typeof WEBHOOK_COMMANDS> {
  const require = (actor: Actor): string => requireAdmin(actor, 'webhooks are for admins')
  return {
    'webhooks.create': async (actor, params) => JSON.stringify(await webhooks.create(require(actor), params)),
    'webhooks.list': async (actor, { after = '', limit = 100 }) => {
      require(actor)
      const all = (await webhooks.list()).filter(({ id }) => id > after)
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
