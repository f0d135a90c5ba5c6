import { type Body, BodyWriter } from '../../store/body.js'
import type { Draft } from '../../store/changes.js'
import type { LogName } from '../../store/log-name.js'
import type { Extra } from '../../store/logs.js'
import { uuid7 } from '../../util/uuid7.js'
import type { Actor } from './actor.js'
import { type Checked, hashOf, PlainText } from './message.js'
import type { Publication } from './publication.js'

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
  destination: Destination,
  message: Checked,
  { qos, extra = null }: Pick<Publication, 'qos' | 'extra'>,
): Draft {
  const { cid, ttl } = message
  const from = actor.principal.user
  const id = uuid7()
  const ts = Date.now()
  return {
    log: destination.log,
    id,
    ts,
    from,
    origin: actor.clientId,
    qos,
    extra: limited(extra, ttl, ts),
    body: bodyOf(id, ts, from, destination, message),
    dedupe: cid === null ? null : { cid, hash: hashOf(message.sent ?? message.inside) },
  }
}

const writer = new BodyWriter()

/** Ids of users and of messages hold nothing that JSON would escape. */
function bodyOf(id: string, ts: number, from: string, { place, to }: Destination, message: Checked): Body {
  writer.begin()
  writer.text('{"id":"')
  writer.text(id)
  writer.text('",')
  writer.text(place)
  writer.text('"seq":')
  writer.seq()
  writer.text(',"ts":')
  writer.number(ts)
  writer.text(',"from":"')
  writer.text(from)
  if (to !== undefined) {
    writer.text('","to":"')
    writer.text(to)
  }
  writer.text('",')
  if (message.cid !== null) {
    writer.text('"cid":')
    writer.text(JSON.stringify(message.cid))
    writer.text(',')
  }
  if (message instanceof PlainText) {
    writer.text('"type":"text","text":"')
    writer.bytes(message.payload, message.from, message.to)
    writer.text('"}')
  } else {
    writer.text(message.inside)
    writer.text('}')
  }
  return writer.end()
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
