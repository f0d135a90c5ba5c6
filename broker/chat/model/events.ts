/** Log entries that the broker writes: room events and user events. */

import type { NotificationSettings } from '../../../schemas/commands/notification-settings.js'
import type { PrivacySettings } from '../../../schemas/commands/privacy.js'
import { SYSTEM } from '../../../schemas/ids.js'
import { body } from '../../store/body.js'
import type { Draft } from '../../store/changes.js'
import type { MemberSettings } from '../../store/rooms.js'
import { uuid7 } from '../../util/uuid7.js'
import { logs } from './views.js'

/** A sanction or its end. `until`: Unix ms; null: permanent. */
export type Sanction =
  | { type: 'banned'; by: string; until: number | null; reason: string | null }
  | { type: 'muted'; by: string; until: number | null }
  | { type: 'unbanned' | 'unmuted'; by: string }

export type RoomEvent =
  | { type: 'created' | 'deleted'; by: string }
  /** `changed`: keys of the room. */
  | { type: 'updated'; by: string; changed: readonly string[] }
  /** `by`: the member who let the user in. */
  | { type: 'joined'; user: string; by?: string }
  | { type: 'left' | 'requested' | 'declined' | 'withdrawn'; user: string }
  | { type: 'invited' | 'removed' | 'denied'; user: string; by: string }
  | { type: 'role'; user: string; by: string; role: string }
  | (Sanction & { user: string })

/** `contact`: `by` sent a contact request, or accepted one. */
export type UserEvent =
  /** The user's rights on a device changed; null: no rights any more. */
  | { type: 'device'; device: string; by: string; may: 'own' | 'control' | 'read' | null }
  /** `by` offered the user to take over a device. */
  | { type: 'deviceOffered'; device: string; by: string }
  /** New state of a command that the user sent to a device. */
  | {
      type: 'deviceCommand'
      device: string
      /** Id of the command. */
      command: string
      name: string
      state: string
      result?: unknown
      error?: string
    }
  /** `version` null: the value was removed. */
  | { type: 'accountData'; name: string; version: number | null }
  /** Acknowledged notifications, by seq. */
  | { type: 'acked'; notifications: readonly number[] }
  /** To a bot: `by` used one of its commands in a room; `message` is the complete message. */
  | { type: 'command'; room: string; by: string; command: string; args: string; message: object }
  | { type: 'contact'; by: string }
  | ({ type: 'settings'; room: string } & Omit<MemberSettings, 'hiddenIn'>)
  | { type: 'thread'; room: string; thread: number; following: boolean }
  /** `target`: seq of a message that the user saves for themselves. */
  | { type: 'saved'; room: string; target: number; saved: boolean }
  | ({ type: 'privacy' } & PrivacySettings)
  | ({ type: 'notifications' } & NotificationSettings)
  | (Sanction & { room: string })
  /** `target`: seq of the reported message; null: a user was reported. */
  | { type: 'reported'; room: string; report: string; target: number | null }
  /** `deleted`: sent to the user, because the room's own event log is deleted with the room. */
  | {
      type: 'invited' | 'added' | 'left' | 'removed' | 'denied' | 'deleted' | 'role' | 'declined' | 'withdrawn'
      room: string
      by: string
      role?: string
    }

/** An entry of `rooms/{room}/events`: `{id, room, seq, ts, type, …}`. */
export function roomEvent(room: string, event: RoomEvent): Draft {
  return draft(logs.roomEvents(room), `"room":${JSON.stringify(room)},`, event)
}

/** An entry of `users/{user}/events`: `{id, seq, ts, type, room, by, …}`. */
export function userEvent(user: string, event: UserEvent): Draft {
  return draft(logs.userEvents(user), '', event)
}

function draft(log: string, before: string, event: RoomEvent | UserEvent): Draft {
  const id = uuid7()
  const ts = Date.now()
  const head = `{"id":"${id}",${before}"seq":`
  return {
    log,
    id,
    ts,
    from: SYSTEM,
    qos: 1,
    body: body(head, `,"ts":${ts},${JSON.stringify(event).slice(1)}`),
    dedupe: null,
  }
}
