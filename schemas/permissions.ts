/** Permissions in rooms: the table of roles and actions, used by checks and documents. */

/** From most to least privileged. */
export const ROOM_ROLES = ['owner', 'admin', 'moderator', 'member', 'reader'] as const
export type RoomRole = (typeof ROOM_ROLES)[number]

interface Permission {
  /** The action, as described in the documents. */
  readonly may: string
  /** The least role that may do it; all higher roles may too. */
  readonly least: RoomRole
}

/** Actions on a member are allowed on lower roles only, except that owners may act on anyone. */
export const PERMISSIONS = {
  read: { may: 'read messages, events and the list of members', least: 'reader' },
  write: { may: 'write, react, show that they are typing', least: 'member' },
  mentionRoom: { may: 'mention `@room`', least: 'moderator' },
  pin: { may: 'pin messages', least: 'moderator' },
  moderate: {
    may: 'edit and delete what others wrote; write without waiting, and where only moderators do',
    least: 'moderator',
  },
  mute: { may: 'mute members', least: 'moderator' },
  remove: { may: 'remove members', least: 'moderator' },
  ban: { may: 'ban users', least: 'moderator' },
  approve: { may: 'let in who asks to join', least: 'moderator' },
  invite: { may: 'invite, by name or by link', least: 'admin' },
  update: { may: 'change the room and its settings', least: 'admin' },
  setRole: { may: 'give roles, up to their own', least: 'admin' },
  transfer: { may: 'hand the room over', least: 'owner' },
  delete: { may: 'delete the room', least: 'owner' },
} as const satisfies Record<string, Permission>

export type RoomAct = keyof typeof PERMISSIONS

const RANK = Object.fromEntries(ROOM_ROLES.map((role, i) => [role, ROOM_ROLES.length - i])) as Record<RoomRole, number>

export function allows(role: RoomRole, act: RoomAct): boolean {
  return RANK[role] >= RANK[PERMISSIONS[act].least]
}

export function isAbove(role: RoomRole, other: RoomRole): boolean {
  return RANK[role] > RANK[other]
}
