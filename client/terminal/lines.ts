/** Chat as lines of text: parses what a user types, and formats messages. */
import { STEERING } from '../../schemas/terminal-text.js'

/** A message as received (DESIGN §2, message out); history has `{seq, gone}` for one that is gone. */
export interface ChatMessage {
  room: string
  seq: number
  ts: number
  from: string
  to?: string
  type?: string
  text?: string
  attachments?: { type: string; url?: string; file?: string; name?: string }[]
  data?: unknown
  target?: number
}

export type Input =
  | { kind: 'empty' }
  | { kind: 'quit' }
  | { kind: 'who' }
  | { kind: 'help' }
  | { kind: 'room'; text: string }
  | { kind: 'direct'; user: string; text: string }
  | { kind: 'unknown'; command: string }

export const HELP =
  '@bob hi sends bob a direct message · /who lists the members · /quit leaves · // begins a line with /'

export function parseInput(line: string): Input {
  if (line.trim() === '') return { kind: 'empty' }
  const direct = /^@(\S+)\s+(.+)$/s.exec(line)
  if (direct) return { kind: 'direct', user: direct[1]!, text: direct[2]! }
  if (line.startsWith('//')) return { kind: 'room', text: line.slice(1) }
  if (!line.startsWith('/')) return { kind: 'room', text: line }
  const command = line.trim()
  switch (command) {
    case '/quit':
      return { kind: 'quit' }
    case '/who':
      return { kind: 'who' }
    case '/help':
      return { kind: 'help' }
    default:
      return { kind: 'unknown', command }
  }
}

/** `12:03 alice: hello`. */
export function messageLine(message: ChatMessage): string {
  const { from, to } = message
  return `${clock(message.ts)} ${from}${to === undefined ? '' : ` to ${to}`}${printable(content(message))}`
}

function content(message: ChatMessage): string {
  const { type = 'text', text = '', target, data, attachments = [] } = message
  switch (type) {
    case 'text':
      return `: ${[text, ...attachments.map(attachmentText)].filter((part) => part !== '').join(' ')}`
    case 'edit':
      return ` changed #${target}: ${text}`
    case 'delete':
      return ` deleted #${target}`
    case 'reaction':
      return ` reacted to #${target}: ${text || JSON.stringify(data)}`
    case 'pin':
    case 'unpin':
      return ` ${type}ned #${target}`
    case 'encrypted':
      return ': (an encrypted message)'
    default:
      return `: ${text || `(${type}) ${JSON.stringify(data ?? null)}`}`
  }
}

type Attachment = NonNullable<ChatMessage['attachments']>[number]

function attachmentText({ type, url, file, name }: Attachment): string {
  return `[${type}${name === undefined ? '' : ` ${name}`}: ${url ?? file}]`
}

/** The time of day, with the date if it is not today. */
function clock(ts: number): string {
  const at = new Date(ts)
  const two = (n: number) => String(n).padStart(2, '0')
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`
  if (at.toDateString() === new Date().toDateString()) return time
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}

/** Text of others must not control the terminal: escape sequences and bidirectional overrides are replaced; further lines are indented. */
export function printable(text: string): string {
  return text
    .replace(/\r?\n|[\u2028\u2029]/g, '\n      ')
    .replace(STEERING, (character) => (character === '\n' || character === '\t' ? character : '\u{fffd}'))
}
