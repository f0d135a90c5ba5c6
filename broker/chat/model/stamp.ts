import { type Body, BodyWriter } from '../../store/body.js'
import type { Draft } from '../../store/changes.js'
import type { LogName } from '../../store/log-name.js'
import type { Extra } from '../../store/logs.js'
import { uuid7 } from '../../util/uuid7.js'
import type { Actor } from './actor.js'
import { type CheckedMessage, hashOf, PlainText } from './message.js'
import type { Publication } from './publication.js'

/** The log of a message, and how the message names its place. */
export interface Destination {
  readonly log: LogName
  /** Properties before the seq, as the inside of a JSON object: `"room":"lobby",`, or empty. */
  readonly place: string
  /** Receiver, if it is a direct message. */
  readonly to?: string
}

/** Makes a draft of a checked message: adds what only the broker may set (`id`, `ts`, `from`) to what the client sent. Hot path. */
export function stamp(
  actor: Actor,
  destination: Destination,
  message: CheckedMessage,
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
    extra: withTtl(extra, ttl, ts),
    body: bodyOf(id, ts, from, destination, message),
    dedupe: cid === null ? null : dedupeOf(actor, cid, message.sent ?? message.inside),
  }
}

/** The id of an account of an earlier version is the time at which it was made. */
const IS_TIME = /^\d+$/

/**
 * How the log knows a client-chosen id: by the account, so that the next owner of a name is not answered with what the last one wrote. For
 * accounts of earlier versions it is known by the name alone, as their records are.
 * @param input What has to be the same at a retry
 */
export function dedupeOf({ principal: { account } }: Actor, cid: string, input: string): NonNullable<Draft['dedupe']> {
  const scoped = account === undefined || IS_TIME.test(account.id) ? cid : `\0${account.id}\0${cid}`
  return { cid: scoped, hash: hashOf(input) }
}

const writer = new BodyWriter()

/** Writes the JSON of the message. User names and message ids need no escaping. */
function bodyOf(id: string, ts: number, from: string, { place, to }: Destination, message: CheckedMessage): Body {
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

/** The id of a message, read from the beginning of its payload. */
export function messageIdOf(payload: Buffer): string {
  return payload.toString('latin1', ID_AT, ID_AT + ID_LENGTH)
}

const ID_AT = '{"id":"'.length
const ID_LENGTH = 36
const NOTHING = Buffer.alloc(0)

/** MQTT 5 properties with the message's ttl as upper limit of their expiry. */
function withTtl(extra: Extra | null, ttl: number | null, ts: number): Extra | null {
  return ttl === null ? extra : expiringBy(extra, ts + ttl * 1000)
}

/** Limits the expiry of `extra` to `end` (Unix ms); 0: no limit. */
export function expiringBy(extra: Extra | null, end: number): Extra | null {
  if (end === 0) return extra
  const expiresAt = extra && extra.expiresAt > 0 ? Math.min(extra.expiresAt, end) : end
  return { properties: extra?.properties ?? NOTHING, expiresAt }
}
