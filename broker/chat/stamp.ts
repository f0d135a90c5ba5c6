import { messageId } from '../message-id.js'
import type { Draft, Extra, LogName } from '../store/store.js'
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
  { cid, inside, ttl, sent = inside }: Checked,
  incoming: Pick<Incoming, 'qos' | 'extra'>,
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
    extra: limited(incoming.extra ?? null, ttl, ts),
    head: `{"id":"${id}",${place}"seq":`,
    tail: `,"ts":${ts},"from":"${user}"${receiver}${chosen},${inside}}`,
    dedupe: cid === null ? null : { cid, hash: hashOf(sent) },
  }
}

/** The id that a payload of this form begins with. */
export function messageIdOf(payload: Buffer): string {
  return payload.toString('latin1', ID_AT, ID_AT + ID_LENGTH)
}

const ID_AT = '{"id":"'.length
const ID_LENGTH = 36
const NOTHING = Buffer.alloc(0)

/** What came with it, expiring at the latest when its ttl is over. */
function limited(extra: Extra | null, ttl: number | null, ts: number): Extra | null {
  return ttl === null ? extra : earlier(extra, ts + ttl * 1000)
}

/** Expires at the earlier of what it says and `end` (Unix ms); 0 sets no end. */
export function earlier(extra: Extra | null, end: number): Extra | null {
  if (end === 0) return extra
  const expiresAt = extra && extra.expiresAt > 0 ? Math.min(extra.expiresAt, end) : end
  return { properties: extra?.properties ?? NOTHING, expiresAt }
}
