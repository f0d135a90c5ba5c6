/** Who may write to a user, see that they are there, know what they have read, and invite them. */
import Type, { type Static } from 'typebox'
import { command, object } from './parts.js'

const audience = (description: string) =>
  Type.Enum(['everyone', 'contacts', 'nobody'], { default: 'everyone', description })

const settings = {
  messages: audience(
    'Who may send direct messages, typing and signals. contacts includes users to whom this user has written in a direct conversation.',
  ),
  presence: audience('Who sees the presence. everyone means contacts and people who share a private room.'),
  readReceipts: audience('Who sees what the user has received and read. The user sees the receipts of those only.'),
  invites: audience(
    'Who may invite the user to rooms, and share or offer devices. With nobody, contact requests are refused, too.',
  ),
}

export const PrivacySettings = object(settings, {
  title: 'PrivacySettings',
  description: 'What others may do and see. A block overrides it.',
})
export type PrivacySettings = Static<typeof PrivacySettings>
export type Audience = PrivacySettings['messages']

export const PRIVACY_COMMANDS = {
  'privacy.get': command({
    summary: 'The caller’s privacy settings.',
    params: object({}),
    result: PrivacySettings,
    rate: 'read',
    http: { method: 'GET', path: '/privacy' },
  }),
  'privacy.update': command({
    summary: 'Changes the caller’s privacy settings, with immediate effect; answers with all of them.',
    params: object({
      messages: Type.Optional(settings.messages),
      presence: Type.Optional(settings.presence),
      readReceipts: Type.Optional(settings.readReceipts),
      invites: Type.Optional(settings.invites),
    }),
    result: PrivacySettings,
    rate: 'write',
    http: { method: 'PATCH', path: '/privacy' },
  }),
} as const
