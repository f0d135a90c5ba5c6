/** Two people at one broker, what it logs, and what they see of a room against what the broker says of it. */
import pino from 'pino'
import type { Test } from 'tap'
import { type Answer, fetchFrom, type Request } from '../http.js'
import { until } from '../patience.js'
import { WebApp } from '../web-page.js'
import type { Person } from './person.js'

/** The room of the story, which is private: its members see who is there. */
export const ROOM = 'tea'
export const DIRECT = 'dm:alice:bob'

interface Logged {
  readonly level: number
  readonly msg: string
}

export class Story {
  readonly app: WebApp
  readonly logged: Logged[]
  alice!: Person
  bob!: Person

  private constructor(app: WebApp, logged: Logged[]) {
    this.app = app
    this.logged = logged
  }

  static async start(t: Test): Promise<Story> {
    const logged: Logged[] = []
    const log = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line)) })
    const overrides = { limits: { rates: 'off' }, presence: { offlineDelay: 0 } }
    return new Story(await WebApp.start(t, overrides, { log }), logged)
  }

  /** Asks the broker in the place of a user. @throws Error Of what it refuses */
  async ask(as: string, method: string, path: string, body?: object): Promise<Answer['body']> {
    const request: Request = { method, as, ...(body && { body }) }
    const answer = await fetchFrom(this.app.broker, `/v1${path}`, request)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.text}`)
    return answer.body
  }

  /** The messages of a room as they are now, one line for each, those in threads left out. */
  async history(room: string): Promise<string[]> {
    const lines: string[] = []
    for (let after = 0; ; ) {
      const path = `/rooms/${room}/messages?view=folded&limit=100&after=${after}`
      const { messages, more } = await this.ask('alice', 'GET', path)
      for (const { seq, thread, gone, text = '' } of messages) {
        after = seq
        if (thread === undefined) lines.push(plain(`${seq} ${gone ? 'gone' : text}`))
      }
      if (!more) return lines
    }
  }

  /** Waits until people see the same in a room as the broker says, from the first of their rows on. */
  async agree(room: string, people = [this.alice, this.bob]): Promise<void> {
    for (const person of people) {
      await person.goTo(room)
      let seen: string[] = []
      let kept: string[] = []
      const agrees = async (): Promise<boolean> => {
        ;[seen, kept] = await Promise.all([rowsOf(person), this.history(room)])
        seen = seen.map(plain)
        return seen.length > 0 && seen.join('\n') === kept.slice(-seen.length).join('\n')
      }
      await until(`${person.user} sees what there is in ${room}`, agrees).catch(() => {
        throw new Error(`${person.user} sees in ${room}:\n${seen.join('\n')}\nand there is:\n${kept.join('\n')}`)
      })
    }
  }
}

/** Without what a page shows by how it looks: code, and lines. */
function plain(text: string): string {
  return text
    .replaceAll(/```\w*\n?/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

/** The messages that are shown in the room, as `history` has them. */
function rowsOf({ page }: Person): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('#room .message')].map((row) => {
    const text = row.classList.contains('gone') ? 'gone' : (row.querySelector('.message-text')?.innerText ?? '')
    return row.dataset.seq + ' ' + text
  })`)
}
