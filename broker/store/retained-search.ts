/** Which retained messages match filters: by topic, or below the levels before the first wildcard. */
import { TopicTrie } from './topic-trie.js'

export interface RetainedSearch {
  /** Filters that are topics. */
  readonly narrow: ReadonlySet<string>
  /** Whether a filter with wildcards matches the topic. */
  isWanted(topic: string): boolean
  /** Where these are: topics that are equal to one of these, or below it; empty: all topics. None is below another. */
  readonly prefixes: readonly string[]
}

export function retainedSearch(filters: readonly string[]): RetainedSearch {
  const wide = new TopicTrie<string>({ cacheWeight: 0 })
  const narrow = new Set<string>()
  for (const filter of filters)
    if (literalLevels(filter) === filter) narrow.add(filter)
    else wide.add(filter, filter)
  const isWanted = (topic: string): boolean => wide.match(topic).length > 0
  return { narrow, isWanted, prefixes: prefixesOf(filters.filter((filter) => !narrow.has(filter))) }
}

/** The levels of a filter before the first wildcard. */
function literalLevels(filter: string): string {
  const levels = filter.split('/')
  const wildcard = levels.findIndex((level) => level === '+' || level === '#')
  return wildcard === -1 ? filter : levels.slice(0, wildcard).join('/')
}

function prefixesOf(filters: readonly string[]): string[] {
  const found: string[] = []
  let last: string | null = null
  for (const levels of [...new Set(filters.map(literalLevels))].sort(bySlash)) {
    if (levels === '') return ['']
    if (last !== null && levels.startsWith(`${last}/`)) continue
    last = levels
    found.push(levels)
  }
  return found
}

/** Sorts such that a topic is directly followed by those below it. */
function bySlash(one: string, other: string): number {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')]
  return a < b ? -1 : a > b ? 1 : 0
}
