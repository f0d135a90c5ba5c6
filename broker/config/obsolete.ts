/** Obsolete keys: a file that still has them is accepted with a warning that they have no effect. */
import { isMap } from './check.js'

/** By path, the warning. */
export const OBSOLETE: ReadonlyMap<string, string> = new Map([
  ['limits.filtersPerSubscribe', 'a SUBSCRIBE may hold as many filters as the session (limits.subscriptions)'],
])

/** Removes them from `raw`. Returns their paths. */
export function dropObsolete(raw: unknown): string[][] {
  const paths = [...OBSOLETE.keys()].map((path) => path.split('.'))
  return paths.filter((path) => {
    let section = raw
    for (const step of path.slice(0, -1)) section = isMap(section) ? section[step] : undefined
    const key = path.at(-1)!
    if (!isMap(section) || !Object.hasOwn(section, key)) return false
    delete section[key]
    return true
  })
}
