/**
 * The audience of an announcement. The broker writes `roles` near the front of the message, after `id` and `channel`,
 * so that delivery can check it without parsing the whole message.
 */
import Type, { type Static } from 'typebox'
import { MessageInput } from './message.js'
import { topics } from './topics.js'

/** Names of roles. */
export const ROLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/

const MAX_ANNOUNCED_ROLES = 16

export const announcedRoles = Type.Optional(
  Type.Array(Type.String({ pattern: ROLE.source, maxLength: 64 }), {
    minItems: 1,
    maxItems: MAX_ANNOUNCED_ROLES,
    description: 'Only for users with one of these roles; left out: for everyone.',
  }),
)

export const AnnouncementInput = Type.Object(
  { roles: announcedRoles, ...MessageInput.properties },
  { additionalProperties: false },
)
export type AnnouncementInput = Static<typeof AnnouncementInput>

const BROADCAST = topics.broadcast('')
/** `{"id":"`, a UUID, `",` */
const ID_LENGTH = 7 + 36 + 2
const ROLES = '"roles":'

/** The start of an announcement after its id, up to the seq. */
export function announcementPlace(channel: string, roles: readonly string[] | undefined): string {
  return `"channel":"${channel}",${roles ? `${ROLES}${JSON.stringify(roles)},` : ''}`
}

/** What is used of bytes, which are a Buffer in Node: the contract is compiled without Node's types. */
interface Latin1Bytes {
  indexOf(text: string, from: number): number
  toString(encoding: 'latin1', start: number, end: number): string
}

/** Whether messages on `topic` are announcements, which may be for certain roles only. */
export function isAnnounced(topic: string): boolean {
  return topic.startsWith(BROADCAST)
}

/** The roles that a message on `topic` is for; null: everyone who may receive the topic. */
export function announcementRoles(topic: string, payload: Latin1Bytes): readonly string[] | null {
  if (!isAnnounced(topic)) return null
  const at = ID_LENGTH + announcementPlace(topic.slice(BROADCAST.length), undefined).length
  const list = at + ROLES.length
  if (payload.toString('latin1', at, list) !== ROLES) return null
  return JSON.parse(payload.toString('latin1', list, payload.indexOf(']', list) + 1)) as string[]
}
