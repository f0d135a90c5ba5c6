/** The format of server-sent events, as far as the broker uses it: no comment, event or id goes over several fields. */
import { ChatError } from '../../base/chat-error.js'

export interface StreamEvent {
  /** Null: a message. */
  readonly name: string | null
  readonly data: string
}

/** Code units of an event that has not ended. */
const LONGEST = 4_194_304

export class EventParser {
  /** Of the last event that has one. */
  id: string | null
  readonly #decoder = new TextDecoder()
  #text = ''

  constructor(id: string | null) {
    this.id = id
  }

  /** The events that have ended by now. @throws ChatError `too_large` */
  push(bytes: Uint8Array): StreamEvent[] {
    this.#text += this.#decoder.decode(bytes, { stream: true })
    const blocks = this.#text.split('\n\n')
    this.#text = blocks.pop()!
    if (this.#text.length > LONGEST) throw new ChatError('too_large', `an event of more than ${LONGEST} characters`)
    return blocks.flatMap((block) => this.#eventOf(block))
  }

  #eventOf(block: string): StreamEvent[] {
    const fields = new Map(block.split('\n').map((line) => fieldOf(line)))
    this.id = fields.get('id') ?? this.id
    const data = fields.get('data')
    return data === undefined ? [] : [{ name: fields.get('event') ?? null, data }]
  }
}

/** A comment has no name. */
function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trimStart()]
}
