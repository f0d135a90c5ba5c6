/** What a user is notified of, in all rooms. What differs in a room is said by `rooms.settings`. */
import Type, { type Static } from 'typebox'
import { command, object } from './parts.js'

export const NOTIFY_LEVELS = ['all', 'mentions', 'none'] as const

/** Keywords of one user, characters of each, and bytes of all together. */
export const MAX_KEYWORDS = 50
export const MAX_KEYWORD = 64
export const MAX_KEYWORD_BYTES = 1024

const level = (description: string) => Type.Enum([...NOTIFY_LEVELS], { default: 'all', description })

const settings = {
  rooms: level(
    'Of which messages in rooms: all, those that mention the user or have a keyword, or none; where rooms.settings says nothing else.',
  ),
  direct: level('Of which messages in direct conversations.'),
  keywords: Type.Array(Type.String({ minLength: 1, maxLength: MAX_KEYWORD }), {
    maxItems: MAX_KEYWORDS,
    description: `Words and phrases that notify as a mention does: whole words, in any case and spelling, as search finds them; parts of words in scripts without spaces. At most ${MAX_KEYWORD_BYTES} bytes together.`,
  }),
}

export const NotificationSettings = object(settings, {
  title: 'NotificationSettings',
  description: 'What the user is notified of. Nobody else sees it.',
})
export type NotificationSettings = Static<typeof NotificationSettings>
export type NotifyLevel = NotificationSettings['rooms']

export const NOTIFICATION_SETTINGS_COMMANDS = {
  'notifications.settings.get': command({
    summary: 'What the caller is notified of, in all rooms.',
    params: object({}),
    result: NotificationSettings,
    rate: 'read',
    http: { method: 'GET', path: '/notifications/settings' },
  }),
  'notifications.settings.update': command({
    summary:
      'Changes what the caller is notified of; answers with all of it. It holds at once, also for messages of before that are not read.',
    params: object({
      rooms: Type.Optional(settings.rooms),
      direct: Type.Optional(settings.direct),
      keywords: Type.Optional(settings.keywords),
    }),
    result: NotificationSettings,
    rate: 'write',
    http: { method: 'PATCH', path: '/notifications/settings' },
  }),
} as const
