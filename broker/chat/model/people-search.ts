/** Finds users by the words of their names. */
import type { DirectoryStore } from '../../store/directory.js'
import { isNamed, queryWords } from '../../util/name-words.js'

/** Users whose name is looked at for one query. */
const MAX_MATCHES = 1000

/** Users with a name in which each word of the query begins a word; of many only those that come first by these words. */
export async function usersNamed(
  directory: Pick<DirectoryStore, 'usersNamed' | 'profile'>,
  query: string,
): Promise<Set<string>> {
  const words = queryWords(query)
  const [longest] = words.toSorted((a, b) => b.length - a.length)
  if (longest === undefined) return new Set()
  const found = await directory.usersNamed(longest, MAX_MATCHES)
  if (words.length === 1) return new Set(found)
  const named = new Set<string>()
  for (const user of found) if (isNamed(words, (await directory.profile(user))?.name ?? '')) named.add(user)
  return named
}
