import { v7 as messageId } from 'uuid'
import type { Draft, LogName } from '../store/store.js'
import type { Actor } from './actor.js'
import { type Checked, hashOf } from './message.js'
import type { Incoming } from './pipeline.js'

/** Where a message goes. */
export interface Destination {
  readonly log: LogName
  /** What it says of that before its seq, as the inside of a JSON object: `"room":"lobby",`, or nothing. */
  readonly place: string
  /** Receiver of a direct message. */
  readonly to?: string
}

/** Makes a draft of a checked message: what only the broker says of it (`id`, `ts`, `from`) around what the client said. */
export function stamp(
  actor: Actor,
  { log, place, to }: Destination,
  { cid, inside }: Checked,
  incoming: Incoming,
): Draft {
  const { user } = actor.principal
  const id = messageId()
  const ts = Date.now()
  // Ids of users hold nothing that JSON would escape.
  const receiver = to === undefined ? '' : `,"to":"${to}"`
  const chosen = cid === null ? '' : `,"cid":${JSON.stringify(cid)}`
  return {
    log,
    id,
    ts,
    from: user,
    origin: actor.clientId,
    qos: incoming.qos,
    extra: incoming.extra ?? null,
    head: `{"id":"${id}",${place}"seq":`,
    tail: `,"ts":${ts},"from":"${user}"${receiver}${chosen},${inside}}`,
    dedupe: cid === null ? null : { cid, hash: hashOf(inside) },
  }
}
