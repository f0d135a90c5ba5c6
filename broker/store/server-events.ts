/** Events about accounts and rooms that belong to no log of a room or a user. Written only if a reader wants them. */

import { SYSTEM } from '../../schemas/ids.js'
import { uuid7 } from '../util/uuid7.js'
import { body } from './body.js'
import type { Draft } from './changes.js'
import type { LogName } from './log-name.js'
import type { Store } from './store.js'

export const SERVER_LOG: LogName = 's:server'

export type ServerEvent =
  | { type: 'user.registered' | 'user.removed'; user: string }
  | { type: 'room.deleted'; room: string; by: string }

/** Drafts to be committed together with what happened. */
export function serverEvents(store: Pick<Store, 'outbox'>, event: ServerEvent): Draft[] {
  if (!store.outbox.watches(SERVER_LOG)) return []
  const id = uuid7()
  const ts = Date.now()
  const head = `{"id":"${id}","seq":`
  const tail = `,"ts":${ts},${JSON.stringify(event).slice(1)}`
  return [{ log: SERVER_LOG, id, ts, from: SYSTEM, qos: 1, body: body(head, tail), dedupe: null }]
}
