/** A broker with users and rooms. */
import type { Test } from 'tap'
import { type Overrides, startTestBroker } from './broker.js'
import { Person, type PersonOptions } from './people.js'

export async function people<N extends string>(
  t: Test,
  names: N[],
  overrides: Overrides = {},
  options: Parameters<typeof startTestBroker>[2] = {},
) {
  const broker = await startTestBroker(t, overrides, options)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const entries = await Promise.all(names.map(async (name) => [name, await connect(name)] as const))
  return { broker, connect, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

/** Creates a private room of `owner` with these members. */
export async function privateRoom(room: string, owner: Person, ...members: Person[]): Promise<void> {
  await owner.get('rooms.create', { room, access: 'private' })
  for (const member of members) {
    await owner.get('rooms.invite', { room, user: member.user })
    await member.get('rooms.join', { room })
  }
}

/** The same, with a role for each member. */
export async function roomOf(room: string, owner: Person, roles: [Person, string][]): Promise<void> {
  await privateRoom(room, owner, ...roles.map(([person]) => person))
  for (const [{ user }, role] of roles) if (role !== 'member') await owner.get('rooms.setRole', { room, user, role })
}
