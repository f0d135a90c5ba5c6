/** Parses and checks a published payload: from bytes to a checked message, whose JSON the log completes with its seq. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import {
  type Forwarded,
  MAX_CID,
  MAX_DEPTH,
  MESSAGE_KEYS,
  MessageInput,
  type ReactionData,
} from '../../../schemas/message.js'
import { checkSchema } from './check-schema.js'
import { normalizeEmoji } from './emoji.js'
import { checkType } from './message-types.js'
import { requireExactNumbers } from './numbers.js'

const validator = Compile(MessageInput)

export interface CheckedMessage {
  cid: string | null
  /** The message without its cid, keys in a fixed order, as the inside of a JSON object: `"type":"text","text":"hi"`. */
  inside: string
  /** Seconds until the message expires; null: never. */
  ttl: number | null
  /** The parsed input; null: the message is text only. */
  input: MessageInput | null
  /** The text; null: none. */
  text: string | null
  /** `inside` as the client sent it, if the broker changed the message: deduplication hashes this, so that a retry is recognised. */
  sent?: string
  /** Author and origin of a forwarded message. */
  forwarded?: Forwarded
}

/**
 * A text whose bytes in the payload can be copied into JSON without escaping, as for nearly all messages. It is decoded only when `text` is
 * read.
 */
export class PlainText implements CheckedMessage {
  readonly cid = null
  readonly ttl = null
  readonly input = null
  readonly payload: Buffer
  /** Range of the text in `payload`: start and end in bytes. */
  readonly from: number
  readonly to: number
  #text: string | null = null

  constructor(payload: Buffer, from: number, to: number) {
    this.payload = payload
    this.from = from
    this.to = to
  }

  get text(): string {
    return (this.#text ??= this.payload.toString('utf8', this.from, this.to))
  }

  get inside(): string {
    return `"type":"text","text":"${this.text}"`
  }
}

/** The content of a message, which a broker-side rule may replace. */
export type Content = Partial<Pick<MessageInput, 'text' | 'attachments' | 'data'>>

/** Decodes valid UTF-8. @throws Refusal `bad_request` for an empty or invalid payload. */
export function decodeText(payload: Buffer): string {
  if (payload.length === 0) throw new Refusal('bad_request', 'the message is empty')
  if (!isUtf8(payload)) throw new Refusal('bad_request', 'the payload is not valid UTF-8')
  return payload.toString('utf8')
}

/** Parses a JSON object; null for any other text. @throws Refusal if a number cannot be kept exactly. */
export function readObject(payload: Buffer): Record<string, unknown> | null {
  const text = decodeText(payload)
  const object = parseObject(text)
  if (object) requireExactNumbers(text)
  return object
}

/** Parses a JSON object; null for any other text. */
export function parseObject(text: string): Record<string, unknown> | null {
  if (!/^\s*\{/.test(text)) return null
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}

/** Reads the cid of a message that will be refused, so that the refusal can carry it. */
export function cidOf(payload: Buffer): string | null {
  const cid = parseObject(payload.toString('utf8'))?.['cid']
  return typeof cid === 'string' && cid.length <= 128 ? cid : null
}

/**
 * Checks a published message: a JSON object of known keys, an object of none of them (`custom` data), or any other text, verbatim. `bare`:
 * always text (the `text` leaf). @throws Refusal
 */
export function checkMessage(payload: Buffer, bare: boolean): CheckedMessage {
  const plain = plainText(payload, bare)
  if (plain) return plain
  const text = decodeText(payload)
  const object = bare ? null : parseObject(text)
  if (!object) return textOnly(text, null)
  requireExactNumbers(text)
  return textAlone(object) ?? checkObject(toInput(object))
}

const TEXT_ALONE = Buffer.from('{"text":"')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const BRACE = 0x7b
const SPACE = 0x20

/** Recognises by its bytes a text, bare or as `{"text":"…"}`, that needs no JSON escaping. Null: it needs the parser. Hot path. */
function plainText(payload: Buffer, bare: boolean): PlainText | null {
  let from = 0
  let to = payload.length
  if (!bare && payload[0] === BRACE) {
    for (; from < TEXT_ALONE.length; from++) if (payload[from] !== TEXT_ALONE[from]) return null
    to -= 2
    if (payload[to] !== QUOTE || payload[to + 1] !== 0x7d) return null
  } else if (!bare && payload[0]! <= SPACE) return null
  if (to <= from) return null
  let ascii = true
  for (let i = from; i < to; i++) {
    const byte = payload[i]!
    if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) return null
    if (byte > 0x7f) ascii = false
  }
  return ascii || isUtf8(payload) ? new PlainText(payload, from, to) : null
}

/** Recognises a message of only text and cid, which needs no schema check. Null: it needs the full check. */
function textAlone(object: Record<string, unknown>): CheckedMessage | null {
  let cid: string | null = null
  let text: string | null = null
  for (const key in object) {
    const value = object[key]
    if (typeof value !== 'string' || value === '') return null
    if (key === 'text') text = value
    else if (key === 'cid' && value.length <= MAX_CID) cid = value
    else if (key !== 'type' || value !== 'text') return null
  }
  return text === null ? null : textOnly(text, cid)
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
  checkSchema(validator, object)
  return object as MessageInput
}

/** Checks an input; the emoji of a reaction is normalised. */
function checkObject(input: MessageInput): CheckedMessage {
  const checked = checkInput(input)
  if (input.type !== 'reaction') return checked
  const data = input.data as ReactionData
  const emoji = normalizeEmoji(data.emoji)
  if (emoji === data.emoji) return checked
  return { ...checkInput({ ...input, data: { ...data, emoji } }), sent: checked.inside }
}

function checkInput(input: MessageInput): CheckedMessage {
  checkType(input)
  const { cid = null, type = 'text', target, text, ...rest } = input
  const { attachments, data, replyTo, thread, mentions, forward, ttl } = rest
  const more = { attachments, data, replyTo, thread, mentions, forward, ttl }
  const inside = stringify({ type, target, text, ...more }).slice(1, -1)
  return { cid, inside, ttl: ttl ?? null, input, text: text ?? null }
}

function textOnly(text: string, cid: string | null): CheckedMessage {
  return { cid, inside: `"type":"text","text":${JSON.stringify(text)}`, ttl: null, input: null, text }
}

/** The content of a message as its receivers see it. */
export function contentOf({ inside }: CheckedMessage): MessageInput {
  return JSON.parse(`{${inside}}`)
}

/** The message with other content. Its deduplication hash stays that of what was sent. */
export function rewritten(message: CheckedMessage, content: Content): CheckedMessage {
  const input = {
    ...(message.input ?? { text: message.text! }),
    ...(message.cid === null ? {} : { cid: message.cid }),
    ...content,
  }
  const checked = { ...checkObject(input), ttl: message.ttl, sent: message.sent ?? message.inside }
  return attributed(checked, message.forwarded)
}

/** A forward with the content of the message it forwards. `ttl`: seconds; null: never expires. */
export function forwarded(
  message: CheckedMessage,
  content: Content & Pick<MessageInput, 'type'>,
  source: Forwarded,
  ttl: number | null,
): CheckedMessage {
  const { forward: _, ...input } = message.input!
  const checked = checkObject({ ...input, ...content })
  return attributed({ ...checked, ttl, sent: message.inside }, source)
}

function attributed(message: CheckedMessage, source: Forwarded | undefined): CheckedMessage {
  if (!source) return message
  return { ...message, inside: `${message.inside},"forwarded":${JSON.stringify(source)}`, forwarded: source }
}

/** `JSON.stringify` with a limit on nesting: the value is serialised again deeper in the stack, and clients must be able to parse it. */
export function stringify(value: unknown): string {
  if (isDeeper(value, MAX_DEPTH)) throw new Refusal('bad_request', `nested deeper than ${MAX_DEPTH} levels`)
  return JSON.stringify(value)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** Deduplication hash of the normalised input: the same cid with another hash is a conflict. */
export function hashOf(inside: string): string {
  return createHash('sha256').update(inside).digest('base64url').slice(0, 24)
}
