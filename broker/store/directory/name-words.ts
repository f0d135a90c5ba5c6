/** The words of users' names, by which users are found: a record for each word of a user, whose key begins with the word. */
import { nameWords } from '../../util/name-words.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, partsOf, type Tables } from '../tables.js'
import type { ProfileRecord } from '../users.js'

/** Neither words nor user ids have spaces. */
const SPACE = ' '

/** The changes from one profile to the next; null: none. */
export function nameWordOps(after: ProfileRecord | null, before: ProfileRecord | null): Op[] {
  const [now, then] = [keysOf(after), keysOf(before)]
  return [
    ...then.filter((key) => !now.includes(key)).map((key) => wipe('nameWord', key)),
    ...now.filter((key) => !then.includes(key)).map((key) => put('nameWord', key, '')),
  ]
}

export async function usersNamed(tables: Tables, word: string, limit: number): Promise<string[]> {
  const found = await tables.list('nameWord', { prefix: keyOf(word), limit })
  return [...new Set(found.map(([key]) => userOf(key)))]
}

function keysOf(profile: ProfileRecord | null): string[] {
  if (!profile?.name) return []
  return nameWords(profile.name).map((word) => keyOf(`${word}${SPACE}${profile.user}`))
}

function userOf(key: string): string {
  const [entry] = partsOf(key) as [string]
  return entry.slice(entry.indexOf(SPACE) + 1)
}
