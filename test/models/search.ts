/** A model of search: a list of messages, the members of rooms, and a comparison word by word. */
import type { Random } from '../helpers/random.js'

const WORDS = ['red', 'green', 'greenish', 'blue', 'red', 'Grün', '红色', '红绿灯', '绿色', 'あかい']
const SPACED = /^[a-zA-Zü]+$/

interface Message {
  readonly room: string
  readonly seq: number
  readonly from: string
  /** Null: deleted. */
  text: string | null
}

export interface Query {
  readonly query: string
  readonly room?: string
  readonly from?: string
}

export class SearchModel {
  readonly members = new Map<string, Set<string>>()
  readonly messages: Message[] = []

  rooms(user: string): string[] {
    return [...this.members].filter(([, users]) => users.has(user)).map(([room]) => room)
  }

  /** Messages of a user, in rooms the user is in, that are not deleted. */
  own(user: string): Message[] {
    const rooms = this.rooms(user)
    return this.messages.filter(({ room, from, text }) => from === user && text !== null && rooms.includes(room))
  }

  /** The expected hits as `room seq`, sorted. */
  found(user: string, { query, room, from }: Query): string[] {
    const rooms = this.rooms(user)
    const terms = query.match(/"[^"]*"|\S+/g)!
    const hits = this.messages.filter(
      (message) =>
        message.text !== null &&
        rooms.includes(message.room) &&
        (room ?? message.room) === message.room &&
        (from ?? message.from) === message.from &&
        terms.every((term) => says(message.text!, term)),
    )
    return hits.map((message) => `${message.room} ${message.seq}`).sort()
  }
}

function says(text: string, term: string): boolean {
  const words = plain(text).split(' ')
  const wanted = plain(term.replaceAll('"', ''))
  if (!SPACED.test(wanted.replace(/[ *]/g, ''))) return words.some((word) => word.includes(wanted))
  if (wanted.endsWith('*')) return words.some((word) => word.startsWith(wanted.slice(0, -1)))
  return ` ${words.join(' ')} `.includes(` ${wanted} `)
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll('ü', 'u')
}

export function randomText(random: Random): string {
  return Array.from({ length: random.between(1, 5) }, () => random.pick(WORDS)).join(' ')
}

export function randomQuery(random: Random): string {
  const term = (): string => {
    const word = random.pick(WORDS)
    if (!SPACED.test(word)) return word.slice(0, random.between(1, word.length))
    const kind = random.below(4)
    if (kind === 0) return `${word.slice(0, random.between(2, word.length))}*`
    return kind === 1 ? `"${word} ${random.pick(['red', 'green', 'blue'])}"` : word.toUpperCase()
  }
  return Array.from({ length: random.between(1, 2) }, term).join(' ')
}
