/** The filters of an event stream, which are in its address. */
import { parseFilter, topics } from '../../../schemas/topics.js'

/** Characters of all filters. Servers and proxies take addresses of 8 kB. */
const MOST = 4000

/** If there are many, one of all rooms, or of all users' presence, takes the place of those of each: the wire leaves out what nobody wants. */
export function streamFilters(filters: Iterable<string>): string[] {
  const all = [...filters]
  if (all.reduce((sum, filter) => sum + encodeURIComponent(filter).length, 0) <= MOST) return all
  return [...new Set(all.flatMap(widened))]
}

function widened(filter: string): string[] {
  const parsed = parseFilter(filter)
  if (parsed.kind === 'room') return parsed.leaves.map((leaf) => topics.anyRoom(leaf))
  if (parsed.kind === 'user' && filter.endsWith('/presence')) return [topics.user('+', 'presence')]
  return [filter]
}
