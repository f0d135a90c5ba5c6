import type { NOTIFICATION_COMMANDS } from '../../../schemas/commands/notifications.js'
import { asRefusal, Refusal } from '../../../schemas/errors.js'
import { topics } from '../../../schemas/topics.js'
import { requireRole } from '../model/actor.js'
import { type PublishFunction, publishAndWait } from '../model/publish-gate.js'
import { isActive } from '../notices/notice-state.js'
import type { Notifications } from '../notices/notifications.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the notifications. */
const ENVELOPE = 4096

export interface NotificationCommandDeps {
  readonly notifications: Notifications
  readonly publish: PublishFunction
  readonly replyBytes: number
}

export function notificationCommands(deps: NotificationCommandDeps): Handlers<keyof typeof NOTIFICATION_COMMANDS> {
  const { notifications, publish, replyBytes } = deps
  return {
    notify: async (actor, { user, users, ...input }) => {
      requireRole(actor, 'notifier')
      if ((user === undefined) === (users === undefined))
        throw new Refusal('bad_request', 'either user or users says to whom', { field: 'user' })
      const send = async (to: string) => {
        const { id, seq, ts } = await publishAndWait(publish, actor, topics.user(to, 'notifications'), input)
        return { user: to, id, seq, ts }
      }
      if (user !== undefined) return JSON.stringify({ sent: [await send(user)], refused: [] })
      const sending = [...new Set(users)].map((to) =>
        send(to).catch((error: unknown) => {
          const { code, message } = asRefusal(error)
          if (code === 'internal') throw error
          return { user: to, code, message }
        }),
      )
      const outcomes = await Promise.all(sending)
      const isRefused = (outcome: object): boolean => 'code' in outcome
      return JSON.stringify({
        sent: outcomes.filter((outcome) => !isRefused(outcome)),
        refused: outcomes.filter(isRefused),
      })
    },
    'notifications.list': (actor, { limit = 50, ...query }) =>
      notifications.list(actor, { ...query, limit, maxBytes: replyBytes - ENVELOPE }),
    'notifications.ack': async (actor, { ids, upTo }) => {
      if ((ids === undefined) === (upTo === undefined))
        throw new Refusal('bad_request', 'either ids or upTo says which', { field: 'ids' })
      return JSON.stringify(await notifications.ack(actor, ids ?? null, upTo ?? 0))
    },
    'notifications.status': async (actor, { user, notification: id }) => {
      const notice = await notifications.status(actor, user, id)
      const { seq, ts, delivered, acked, replaced } = notice
      const gone = isActive(notice) ? null : replaced > 0 ? 'replaced' : 'expired'
      return JSON.stringify({ id, seq, ts, delivered: delivered || null, acked: acked || null, gone })
    },
  }
}
