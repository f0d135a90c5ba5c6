/** Entries the broker itself writes: room events, user events. */

import type { PrivacySettings } from '../../../schemas/commands/privacy.js'
import { SYSTEM } from '../../../schemas/ids.js'
import { body } from '../../store/body.js'
import type { Draft } from '../../store/changes.js'
import type { MemberSettings } from '../../store/rooms.js'
import { uuid7 } from '../../util/uuid7.js'
import { logs } from './views.js'

/** What is done about someone. `until`: Unix ms; null: for good. */
export type Sanction =
  | { type: 'banned'; by: string; until: number | null; reason: string | null }
  | { type: 'muted'; by: string; until: number | null }
  | { type: 'unbanned' | 'unmuted'; by: string }

export type RoomEvent =
  | { type: 'created' | 'updated' | 'deleted'; by: string }
  /** `by`: who let them in. */
  | { type: 'joined'; user: string; by?: string }
  | { type: 'left' | 'requested'; user: string }
  | { type: 'invited' | 'removed' | 'denied'; user: string; by: string }
  | { type: 'role'; user: string; by: string; role: string }
  | (Sanction & { user: string })

/** `contact`: `by` wants to be a contact, or accepted to be one. */
export type UserEvent =
  /** The user may do this with a device from now on; null: nothing any more. */
  | { type: 'device'; device: string; by: string; may: 'own' | 'control' | 'read' | null }
  /** `by` wants the user to take a device over. */
  | { type: 'deviceOffered'; device: string; by: string }
  /** What became of something the user asked a device to do. */
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
  /** Notifications, by seq. */
  | { type: 'acked'; notifications: readonly number[] }
  /** To a bot: `by` gave a command in a room; `message` is all that was sent. */
  | { type: 'command'; room: string; by: string; command: string; args: string; message: object }
  | { type: 'contact'; by: string }
  | ({ type: 'settings'; room: string } & MemberSettings)
  | ({ type: 'privacy' } & PrivacySettings)
  | (Sanction & { room: string })
  /** `target`: seq of the message; null: a user was reported. */
  | { type: 'reported'; room: string; report: string; target: number | null }
  /** `deleted`: the room, whose own events go with it. */
  | { type: 'invited' | 'added' | 'removed' | 'denied' | 'deleted' | 'role'; room: string; by: string; role?: string }

/** On `rooms/{room}/events`: `{id, room, seq, ts, type, …}`. */
export function roomEvent(room: string, event: RoomEvent): Draft {
  return draft(logs.roomEvents(room), `"room":${JSON.stringify(room)},`, event)
}

/** On `users/{user}/events`: `{id, seq, ts, type, room, by, …}`. */
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
