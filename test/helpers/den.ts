/** The room `den`, which is public, and what is said in it. */
import type { Test } from 'tap'
import type { TestBroker } from './broker.js'
import { Person } from './people.js'

export const DEN = 'rooms/den/messages'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

export async function openDen(owner: Person, ...members: Person[]): Promise<void> {
  await owner.get('rooms.create', { room: 'den' })
  for (const member of members) await member.get('rooms.join', { room: 'den' })
}

/** Connects users as members of it; the first one owns it. */
export async function peopleInDen(t: Test, broker: TestBroker, ...users: string[]): Promise<Person[]> {
  const people = await Promise.all(users.map((user) => Person.connect(t, broker, user, { keepalive: 0 })))
  const [owner, ...members] = people
  await openDen(owner!, ...members)
  return people
}

/** The result of a message that has to be taken. */
export async function sentToDen(person: Person, message: object): Promise<Json> {
  const { ok, result, error } = await person.send(DEN, message)
  if (!ok) throw new Error(`${JSON.stringify(message)}: ${error.message}`)
  return result
}

/** What someone has heard of its messages, as `topic text`. */
export const heardOfDen = (person: Person): string[] =>
  person.lines.filter((line) => /^rooms\/den\/(messages|text)/.test(line))
