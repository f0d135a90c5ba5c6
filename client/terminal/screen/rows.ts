/** Messages as rows of the screen. Pure. */
import type { Item } from '../../node/index.js'
import { contentOf, dateOf, isSameDay, type Message, percentText, quoteOf, timeOf } from '../lines.js'
import { reactionsText } from '../news.js'
import { printableLine, printableLines } from '../printable.js'
import type { Row } from './frame.js'
import type { Style } from './style.js'
import { cut, widthOf, wrap } from './text.js'

export interface RowsOptions {
  readonly width: number
  readonly style: Style
  readonly me: string
  /** The last message that was read when the room was opened. */
  readonly read: number
  readonly isOnline: boolean
  /** The message whose thread it is; null: the room itself. */
  readonly thread: number | null
}

/** What was told to the user, below the messages that were there then. */
export interface Notice {
  readonly id: number
  /** The key of the last of them; null: there were none. */
  readonly after: string | null
  readonly text: string
}

/** Columns of the number, where there is space for it. */
const NUMBER = 5
const SPACIOUS = 50
const TIME = 6
/** From these columns on there is space for the time. */
const TIMED = 20
/** Columns that a name leaves for what is said. */
const SAID = 4

/** All of them, the oldest first. */
export function rowsOf(items: readonly Item[], notices: readonly Notice[], options: RowsOptions): Row[] {
  let day: number | null = null
  let isNew = options.read === 0
  const rows = noticeRows(notices, null, options)
  for (const item of items) {
    const texts: string[] = []
    if (item.kind === 'message') {
      const { seq, ts, from } = item.message
      if (day === null || !isSameDay(day, ts)) texts.push(divider(dateOf(ts), options))
      day = ts
      if (!isNew && seq > options.read && from !== options.me) {
        isNew = true
        texts.push(divider('new', options))
      }
      texts.push(...messageRows(item, items, options))
    } else texts.push(absentRow(item, options))
    rows.push(...texts.map((text, i) => ({ key: `${item.key}:${i - texts.length}`, text })))
    rows.push(...noticeRows(notices, item.key, options))
  }
  return rows
}

function noticeRows(notices: readonly Notice[], after: string | null, { width, style }: RowsOptions): Row[] {
  return notices
    .filter((notice) => notice.after === after)
    .flatMap(({ id, text }) =>
      text
        .split('\n')
        .flatMap((line) => hanging(line, width - 2))
        .map((line, i) => ({ key: `notice-${id}:${i}`, text: `${style.dim(style.signs.dot)} ${line}` })),
    )
}

/** What goes on in a line of a notice stands below its text. */
const HANGING = 2
/** What `·` sets apart, and the spaces between. */
const LISTED = /(?<=·)\s+|(?:[^·]|·(?!\s))+·?/gu

/** A list is broken between what it lists, where that fits into a line. */
function hanging(line: string, width: number): string[] {
  const space = width - HANGING
  const isList = line.match(LISTED)?.every((one) => widthOf(one) <= space)
  return wrap(line, space, 0, isList && line.includes(' · ') ? LISTED : undefined).map((one, i) =>
    i === 0 ? one : ' '.repeat(HANGING) + one,
  )
}

function divider(text: string, { width, style }: RowsOptions): string {
  const { horizontal } = style.signs
  return style.dim(cut(`${horizontal.repeat(3)} ${text} ${horizontal.repeat(width)}`, width))
}

function absentRow(item: Exclude<Item, { kind: 'message' }>, { width, style }: RowsOptions): string {
  const text =
    item.kind === 'gap'
      ? `messages ${item.from} to ${item.to} are not here yet`
      : `${String(item.message.seq).padStart(NUMBER - 1)}  ${item.message.gone}${item.message.by ? ` by ${item.message.by}` : ''}`
  return style.dim(cut(text, width, style.signs.more))
}

function messageRows(item: Extract<Item, { kind: 'message' }>, items: readonly Item[], options: RowsOptions): string[] {
  const { message } = item
  const { width, style, me } = options
  const isSpacious = width >= SPACIOUS
  const isForMe = message.mentions?.some((one) => one.toLowerCase() === `@${me}`.toLowerCase() || one === '@room')
  const mark = isForMe && message.from !== me ? '@' : ' '
  const number = isSpacious
    ? style.dim((message.seq > 0 ? String(message.seq) : '').padStart(NUMBER - 1)) +
      (mark === '@' ? style.bold(mark) : mark)
    : mark.trim()
  const time = width >= TIMED ? `${style.dim(timeOf(message.ts))} ` : ''
  const margin = isSpacious ? NUMBER + TIME : 2
  const before = (isSpacious ? NUMBER : mark.trim().length) + (time ? TIME : 0)
  const from = cut(
    message.from,
    Math.min(width - before - 2 - SAID, Math.max(8, Math.floor(width / 3))),
    style.signs.more,
  )
  const name = style.name(from, message.from)
  const head = `${number}${time}${message.from === me ? style.bold(name) : name}: `
  const taken = before + widthOf(from) + 2 - margin
  const indented = (line: string): string => ' '.repeat(margin) + line
  const [first = '', ...more] = printableLines(contentText(message)).flatMap((line, i) =>
    wrap(line, width - margin, i === 0 ? taken : 0),
  )
  const about = aboutText(message, items, options)
  return [
    ...(about ? [indented(style.dim(cut(about, width - margin, style.signs.more)))] : []),
    head + first,
    ...more.map(indented),
    ...stateNotes(item, options).map((note) => indented(style.warning(cut(note, width - margin, style.signs.more)))),
    ...notes(message).map((note) => indented(style.dim(cut(note, width - margin, style.signs.more)))),
  ]
}

function contentText(message: Message): string {
  return contentOf(message).join('\n') + (message.edits ? ' (edited)' : '')
}

/** What it answers. */
function aboutText({ replyTo, thread, forwarded }: Message, items: readonly Item[], options: RowsOptions): string {
  const { signs } = options.style
  if (forwarded) return `${signs.answer} forwarded from ${printableLine(forwarded.from)}`
  const seq = replyTo ?? thread
  if (seq === undefined || (replyTo === undefined && thread === options.thread)) return ''
  return `${signs.answer} ${quoteOf(items, seq)}${replyTo === undefined ? ' (thread)' : ''}`
}

/** Below it: reactions, thread, pin. */
function notes(message: Message): string[] {
  const { reactions, replies, pinned } = message
  return [
    ...(reactions?.length ? [reactionsText(message)] : []),
    ...(replies?.count ? [`${replies.count} in its thread: /thread #${message.seq}`] : []),
    ...(pinned ? [`pinned by ${printableLine(pinned.by)}`] : []),
  ]
}

/** What has become of it, if it is not there yet. */
function stateNotes(
  { outgoing, changes = [] }: Extract<Item, { kind: 'message' }>,
  { isOnline }: RowsOptions,
): string[] {
  return [outgoing, ...changes].flatMap((one) => {
    const state = one?.state.current
    if (!one || !state) return []
    if (state.at === 'failed')
      return [`not ${one === outgoing ? 'sent' : 'changed'}: ${printableLine(state.error.message)} (/retry or /cancel)`]
    if (state.at === 'uploading') return [`sending, ${percentText(state.done, state.total)}`]
    return isOnline || state.at === 'sent' ? [] : ['waits for a connection']
  })
}
