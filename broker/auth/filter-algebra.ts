/**
 * Topic filters as sets of topics. Filters are given as levels, already known to be well formed. A wildcard in the
 * first level matches neither reserved levels nor `$` topics (DESIGN §2).
 */
import { isReservedLevel } from '../../schemas/topics.js'

export type Levels = readonly string[]

function isWildcard(level: string): boolean {
  return level === '+' || level === '#'
}

export function matches(filter: Levels, topic: Levels): boolean {
  if (isWildcard(filter[0]!) && isReservedLevel(topic[0]!)) return false
  for (let i = 0; i < filter.length; i++) {
    if (filter[i] === '#') return true
    if (i >= topic.length || (filter[i] !== '+' && filter[i] !== topic[i])) return false
  }
  return filter.length === topic.length
}

/** Whether every topic that `inner` matches is matched by `outer` too. */
export function covers(outer: Levels, inner: Levels): boolean {
  if (isWildcard(outer[0]!) && !isWildcard(inner[0]!) && isReservedLevel(inner[0]!)) return false
  for (let i = 0; i < outer.length; i++) {
    if (outer[i] === '#') return true
    if (i >= inner.length) return false
    // `a/#` matches `a` and `a/+/#` does not. At the first level `+/#` equals `#`, as every topic has a first level.
    if (inner[i] === '#') return i === 0 && outer[0] === '+' && outer[1] === '#'
    if (outer[i] !== '+' && outer[i] !== inner[i]) return false
  }
  return outer.length === inner.length
}

/** The filter of the topics that both match; null: there are none. */
export function intersection(a: Levels, b: Levels): Levels | null {
  if (isWildcard(a[0]!) !== isWildcard(b[0]!) && isReservedLevel(isWildcard(a[0]!) ? b[0]! : a[0]!)) return null
  const common: string[] = []
  for (let i = 0; ; i++) {
    if (a[i] === '#') return [...common, ...b.slice(i)]
    if (b[i] === '#') return [...common, ...a.slice(i)]
    if (a[i] === undefined || b[i] === undefined) return a.length === b.length ? common : null
    if (a[i] !== '+' && b[i] !== '+' && a[i] !== b[i]) return null
    common.push(a[i] === '+' ? b[i]! : a[i]!)
  }
}

/** Whether some topic is matched by both. */
export function intersects(a: Levels, b: Levels): boolean {
  return intersection(a, b) !== null
}
