/** Who may write to a user, see that they are there, know what they have read, and invite them. */
import Type, { type Static } from 'typebox'
import { command, object } from './parts.js'

const audience = (description: string) =>
  Type.Enum(['everyone', 'contacts', 'nobody'], { default: 'everyone', description })

const settings = {
  messages: audience(
    'Who may send direct messages, typing and signals; contacts: and whom the user has written to in a direct conversation.',
  ),
  presence: audience(
    'Who sees presence, of those who may at all: everyone is contacts and people who share a private room.',
  ),
  readReceipts: audience(
    'Who is told what the user has got and read. The user is told of others who may know it of the user, and no more.',
  ),
  invites: audience(
    'Who may invite the user to rooms, and share or offer devices. Contact requests come unless it is nobody.',
  ),
}

export const PrivacySettings = object(settings, {
  title: 'PrivacySettings',
  description: 'What a user lets others do and know. A block goes before all of it.',
})
export type PrivacySettings = Static<typeof PrivacySettings>
export type Audience = PrivacySettings['messages']

export const PRIVACY_COMMANDS = {
  'privacy.get': command({
    summary: 'The asker’s privacy settings.',
    params: object({}),
    result: PrivacySettings,
    rate: 'read',
    http: { method: 'GET', path: '/privacy' },
  }),
  'privacy.update': command({
    summary: 'Changes the asker’s privacy settings, for everyone at once; answers with all of them.',
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
