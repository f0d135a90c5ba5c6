/** From the bytes a client published to a checked message, and to the pieces the log splices its number into. */
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

export interface Checked {
  cid: string | null
  /** The message without its cid, keys in a fixed order, as the inside of a JSON object: `"type":"text","text":"hi"`. */
  inside: string
  /** Seconds it lives; null: no end. */
  ttl: number | null
  /** What was sent; null: text alone. */
  input: MessageInput | null
  /** What it says in words; null: nothing. */
  text: string | null
  /** `inside` as it was sent, where the broker made something else of it: a retry is known by that. */
  sent?: string
  /** Whose words these are, where it passes on those of another. */
  forwarded?: Forwarded
}

/** A text that stands in its payload as JSON writes it. Nearly all messages are one: their words are not looked at unless someone asks. */
export class PlainText implements Checked {
  readonly cid = null
  readonly ttl = null
  readonly input = null
  readonly payload: Buffer
  /** Where the text lies in the payload. */
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

/** What can be put in the place of what was sent. */
export type Content = Partial<Pick<MessageInput, 'text' | 'attachments' | 'data'>>

/** Valid UTF-8 as a string; anything else is refused. */
export function decodeText(payload: Buffer): string {
  if (payload.length === 0) throw new Refusal('bad_request', 'the message is empty')
  if (!isUtf8(payload)) throw new Refusal('bad_request', 'the payload is not valid UTF-8')
  return payload.toString('utf8')
}

/** The object that a client sent as JSON; null for any other text. Refuses one with numbers that would come back as others. */
export function readObject(payload: Buffer): Record<string, unknown> | null {
  const text = decodeText(payload)
  const object = parseObject(text)
  if (object) requireExactNumbers(text)
  return object
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

/** A text, bare or as `{"text":"…"}`, with nothing in it that JSON would escape, told by its bytes. Null: it is not that simple. */
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

/** Many messages are a text, perhaps with a cid, and need no look at the whole schema. Null: it is not that simple. */
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

/** An emoji is spelled one way, whatever the client wrote. */
function checkObject(input: MessageInput): Checked {
  const checked = checkInput(input)
  if (input.type !== 'reaction') return checked
  const data = input.data as ReactionData
  const emoji = normalizeEmoji(data.emoji)
  if (emoji === data.emoji) return checked
  return { ...checkInput({ ...input, data: { ...data, emoji } }), sent: checked.inside }
}

function checkInput(input: MessageInput): Checked {
  checkType(input)
  const { cid = null, type = 'text', target, text, ...rest } = input
  const { attachments, data, replyTo, thread, mentions, forward, ttl } = rest
  const more = { attachments, data, replyTo, thread, mentions, forward, ttl }
  const inside = stringify({ type, target, text, ...more }).slice(1, -1)
  return { cid, inside, ttl: ttl ?? null, input, text: text ?? null }
}

function textOnly(text: string, cid: string | null): Checked {
  return { cid, inside: `"type":"text","text":${JSON.stringify(text)}`, ttl: null, input: null, text }
}

/** What a message holds, as its receivers would see it. */
export function contentOf({ inside }: Checked): MessageInput {
  return JSON.parse(`{${inside}}`)
}

/** A message with other content, the same to a retry. */
export function rewritten(message: Checked, content: Content): Checked {
  const input = {
    ...(message.input ?? { text: message.text! }),
    ...(message.cid === null ? {} : { cid: message.cid }),
    ...content,
  }
  return attributed({ ...checkObject(input), sent: message.sent ?? message.inside }, message.forwarded)
}

/** A message that forwards, with what it forwards. `ttl`: seconds it lives. */
export function forwarded(
  message: Checked,
  content: Content & Pick<MessageInput, 'type'>,
  source: Forwarded,
  ttl: number | null,
): Checked {
  const { forward: _, ...said } = message.input!
  const checked = checkObject({ ...said, ...content })
  return attributed({ ...checked, ttl, sent: message.inside }, source)
}

function attributed(message: Checked, source: Forwarded | undefined): Checked {
  if (!source) return message
  return { ...message, inside: `${message.inside},"forwarded":${JSON.stringify(source)}`, forwarded: source }
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
