/** From the bytes a client published to a checked message, and to the pieces the log splices its number into. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { Refusal } from '../../schemas/errors.js'
import { MAX_CID, MAX_DEPTH, MESSAGE_KEYS, MessageInput } from '../../schemas/message.js'
import { checkType } from './message-types.js'
import { checkShape } from './shape.js'

const validator = Compile(MessageInput)

export interface Checked {
  cid: string | null
  /** The message without its cid, keys in a fixed order, as the inside of a JSON object: `"type":"text","text":"hi"`. */
  inside: string
  /** Seconds it lives; null: no end. */
  ttl: number | null
  /** What was sent; null: text alone. */
  input: MessageInput | null
}

/** Valid UTF-8 as a string; anything else is refused. */
export function decodeText(payload: Buffer): string {
  if (payload.length === 0) throw new Refusal('bad_request', 'the message is empty')
  if (!isUtf8(payload)) throw new Refusal('bad_request', 'the payload is not valid UTF-8')
  return payload.toString('utf8')
}

/** JSON text of an object as that object; null for everything else. */
export function parseObject(text: string): Record<string, unknown> | null {
  if (!/^\s*\{/.test(text)) return null
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}

/** Reads the cid of a message that will be refused, so that the refusal can name it. */
export function cidOf(payload: Buffer): string | null {
  const cid = parseObject(payload.toString('utf8'))?.['cid']
  return typeof cid === 'string' && cid.length <= 128 ? cid : null
}

/**
 * A message in: a JSON object of the known keys, an object of none of them (`custom` data), or any other text, verbatim.
 * `bare`: always text (the `text` leaf).
 */
export function checkMessage(payload: Buffer, bare: boolean): Checked {
  const text = decodeText(payload)
  const object = bare ? null : parseObject(text)
  if (!object) return { cid: null, inside: textOnly(text), ttl: null, input: null }
  return textAlone(object) ?? checkObject(toInput(object))
}

/** Most messages are a text, perhaps with a cid, and need no look at the whole schema. Null: it is not that simple. */
function textAlone(object: Record<string, unknown>): Checked | null {
  let cid: string | null = null
  let text: string | null = null
  for (const key in object) {
    const value = object[key]
    if (typeof value !== 'string' || value === '') return null
    if (key === 'text') text = value
    else if (key === 'cid' && value.length <= MAX_CID) cid = value
    else if (key !== 'type' || value !== 'text') return null
  }
  return text === null ? null : { cid, inside: textOnly(text), ttl: null, input: null }
}

function toInput(object: Record<string, unknown>): MessageInput {
  let known = 0
  let unknown: string | null = null
  for (const key of Object.keys(object)) {
    if (MESSAGE_KEYS.has(key)) known++
    else unknown ??= key
  }
  if (known === 0) return { type: 'custom', data: object }
  if (unknown !== null) {
    throw new Refusal('bad_request', `unknown field ${JSON.stringify(unknown)}; data of your own goes into "data"`, {
      field: unknown,
    })
  }
  checkShape(validator, object)
  return object as MessageInput
}

function checkObject(input: MessageInput): Checked {
  checkType(input)
  const { cid = null, type = 'text', target, text, attachments, data, replyTo, thread, mentions, ttl } = input
  const more = { attachments, data, replyTo, thread, mentions, ttl }
  return { cid, inside: stringify({ type, target, text, ...more }).slice(1, -1), ttl: ttl ?? null, input }
}

function textOnly(text: string): string {
  return `"type":"text","text":${JSON.stringify(text)}`
}

/** JSON. Bounded, for what is written here is written again where the stack is deeper, and clients have stacks too. */
export function stringify(value: unknown): string {
  if (isDeeper(value, MAX_DEPTH)) throw new Refusal('bad_request', `nested deeper than ${MAX_DEPTH} levels`)
  return JSON.stringify(value)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** Of the normalised input: the same cid with another hash is a conflict. */
export function hashOf(inside: string): string {
  return createHash('sha256').update(inside).digest('base64url').slice(0, 24)
}
