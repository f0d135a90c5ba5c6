/** The line between messages and input. Pure. */
import type { Status } from '../../node/index.js'
import { reasonOf } from '../connection.js'
import { timeOf } from '../lines.js'
import type { Style } from './style.js'
import { padded } from './text.js'

export interface StatusParts {
  /** Name of the room; with its thread. */
  readonly place: string
  readonly topic: string
  readonly status: Status
  readonly typing: readonly string[]
  /** What became of the last own message, such as `#12 read`; empty: there is none. */
  readonly receipt: string
  /** What is under way; empty: nothing. */
  readonly progress: string
  /** What is shown are earlier messages. */
  readonly isEarlier: boolean
  /** Rooms that are not seen, in which something is unread. */
  readonly others: readonly string[]
  /** What Tab has found, or what is being edited; empty: nothing. */
  readonly hint: string
}

export function statusLine(parts: StatusParts, width: number, style: Style): string {
  const { place, topic, status, typing, receipt, progress, isEarlier, others, hint } = parts
  const all = [
    place,
    connectionText(status),
    hint,
    progress,
    isEarlier ? 'earlier messages, PgDn goes on' : '',
    typing.length > 0 ? `${typing.join(', ')} typing` : '',
    receipt,
    ...others,
    topic,
  ]
  const text = all.filter(Boolean).join(` ${style.signs.dot} `)
  return style.reverse(padded(` ${text}`, width, style.signs.more))
}

/** Empty: it is online. */
export function connectionText(status: Status): string {
  switch (status.state) {
    case 'online':
      return ''
    case 'waiting':
      return `offline, again at ${timeOf(status.retryAt)}: ${reasonOf(status.error)}`
    case 'syncing':
      return 'catching up'
    case 'signedOut':
      return `signed out: ${reasonOf(status.error)}`
    default:
      return status.state
  }
}
