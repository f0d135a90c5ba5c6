/** Messages that users send, and what becomes of them. */
import type { Test } from 'tap'
import type { TestBroker } from './broker.js'
import { Person, type PersonOptions } from './people.js'

/** Connects without keep-alive, so that a test may put the clock forward. */
export function join(t: Test, broker: TestBroker, user: string, options: PersonOptions = {}): Promise<Person> {
  return Person.connect(t, broker, user, { keepalive: 0, ...options })
}

/** The seq a send got, or how it was refused. */
export async function outcome(person: Person, topic: string, message: object): Promise<number | string> {
  const { ok, result, error } = await person.send(topic, message)
  return ok ? result.seq : `${error.code} ${error.field}`
}

/** A page of a room as seqs with texts, or why there is none. */
export async function history(person: Person, room: string, params: object = {}): Promise<string[]> {
  const { messages } = await person.get('history', { room, ...params })
  return messages.map(({ seq, text, gone }: { seq: number; text?: string; gone?: string }) => `${seq} ${gone ?? text}`)
}
