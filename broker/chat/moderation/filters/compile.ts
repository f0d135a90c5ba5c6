/** Compiles content filters, and finds the faults in their definitions. */
import { type Filter, MAX_FILTERS, MAX_REGEXES, MAX_WORDS } from '../../../../schemas/moderation.js'
import type { Span } from '../../../util/text-folding.js'
import { Regexes } from './regexes.js'
import { Words } from './words.js'

export interface CompiledFilter {
  readonly action: Filter['action']
  /** Null: all rooms. */
  readonly rooms: ReadonlySet<string> | null
  /** Whether matching ignores case. */
  readonly lower: boolean
  find(text: string, limit: number): Span[]
}

export interface FilterFault {
  /** Path within the list of filters. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

export function compileFilters(filters: readonly Filter[]): CompiledFilter[] {
  return filters.map(({ match, patterns, action, rooms }) => {
    const matcher = match === 'words' ? new Words(patterns) : new Regexes(patterns)
    const find = matcher.find.bind(matcher)
    return { action, rooms: rooms ? new Set(rooms) : null, lower: match === 'words', find }
  })
}

/** Empty if `compileFilters` accepts the filters. */
export function filterFaults(filters: readonly Filter[]): FilterFault[] {
  if (filters.length > MAX_FILTERS)
    return [{ path: [], message: `has ${filters.length} filters, at most ${MAX_FILTERS}` }]
  return filters.flatMap((filter, i) => faultsOf(filter).map(({ path, message }) => ({ path: [i, ...path], message })))
}

function faultsOf({ match, patterns }: Filter): FilterFault[] {
  const max = match === 'regex' ? MAX_REGEXES : MAX_WORDS
  if (patterns.length > max) return [{ path: ['patterns'], message: `has ${patterns.length} patterns, at most ${max}` }]
  return patterns.flatMap((pattern, i) => {
    const why = faultOf(match, pattern)
    return why === null ? [] : [{ path: ['patterns', i], message: `${JSON.stringify(pattern)}: ${why}` }]
  })
}

function faultOf(match: Filter['match'], pattern: string): string | null {
  try {
    if (match === 'words') new Words([pattern])
    else new Regexes([pattern])
    return null
  } catch (error) {
    return (error as Error).message
  }
}
