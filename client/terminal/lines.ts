/** Messages as lines of text. */
import type { Item } from '../node/index.js'
import { excerpt, printable, printableLine } from './printable.js'

export type Message = Extract<Item, { kind: 'message' }>['message']
type Attachment = NonNullable<Message['attachments']>[number]

export interface LineOptions {
  /** It begins with the number of the message. */
  readonly numbered?: boolean
  /** Where what it answers is looked for, so that it is quoted. */
  readonly items?: readonly Item[]
}

/** `12:03 alice: hello`. */
export function messageLine(message: Message, { numbered = false, items = [] }: LineOptions = {}): string {
  const { seq, ts, from, to } = message
  const number = numbered ? `#${seq} ` : ''
  const says = `${from}${to === undefined ? '' : ` to ${to}`}: ${aboutText(message, items)}`
  return `${number}${clock(ts)} ${says}${printable(contentOf(message).join(' '))}`
}

/** Characters of a line in a list. */
const LISTED = 100

/** `#3 12:03 alice: hello`, on one line: one of a list. */
export function listedLine(message: Message): string {
  return excerpt(messageLine(message, { numbered: true }).replace(/\s*\n\s*/g, ' '), LISTED)
}

/** What it answers, and where it is from: `(to #3 bob: how are you?) `. */
function aboutText({ replyTo, thread, forwarded }: Message, items: readonly Item[]): string {
  const parts = [
    forwarded ? `forwarded from ${printableLine(forwarded.from)}` : '',
    thread === undefined ? '' : `thread ${quoteOf(items, thread)}`,
    replyTo === undefined ? '' : `to ${quoteOf(items, replyTo)}`,
  ].filter(Boolean)
  return parts.length > 0 ? `(${parts.join('; ')}) ` : ''
}

/** Characters of what is quoted. */
const QUOTED = 60

/** `#3 bob: how are you?`; without its words if it is not there. */
export function quoteOf(items: readonly Item[], seq: number): string {
  const item = items.find((one) => one.kind !== 'gap' && one.message.seq === seq)
  const quoted =
    item?.kind === 'message' ? ` ${item.message.from}: ${excerpt(contentOf(item.message).join(' '), QUOTED)}` : ''
  return `#${seq}${quoted}`
}

/** What it says: its text, and each of its attachments. As the sender wrote it: not safe to print. */
export function contentOf({ type = 'text', text = '', data, attachments = [] }: Message): string[] {
  if (type === 'encrypted') return ['(an encrypted message)']
  const said = [text, ...attachments.map(attachmentText)].filter((part) => part !== '')
  return said.length > 0 ? said : [`(${type}) ${JSON.stringify(data ?? null)}`]
}

/** `[file notes.txt, 12 kB]`; what is elsewhere has its address. */
function attachmentText({ type, url, name, size }: Attachment): string {
  const about = [name === undefined ? type : `${type} ${name}`, size === undefined ? '' : sizeText(size), url ?? '']
  return `[${about.filter(Boolean).join(', ')}]`
}

/** `12 kB`. */
function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** `40 %`. `total`: 0 if it is not known. */
export function percentText(done: number, total: number): string {
  return total > 0 ? `${Math.min(100, Math.floor((100 * done) / total))} %` : `${done} bytes`
}

/** The time of day, with the date if it is not today. */
export function clock(ts: number): string {
  const time = timeOf(ts)
  return isSameDay(ts, Date.now()) ? time : `${dateOf(ts)} ${time}`
}

export function timeOf(ts: number): string {
  const at = new Date(ts)
  return `${two(at.getHours())}:${two(at.getMinutes())}`
}

export function dateOf(ts: number): string {
  const at = new Date(ts)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

export function isSameDay(one: number, other: number): boolean {
  return new Date(one).toDateString() === new Date(other).toDateString()
}

function two(n: number): string {
  return String(n).padStart(2, '0')
}
