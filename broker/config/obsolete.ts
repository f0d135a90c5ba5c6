/** Keys that the configuration once had: a file that still has them is taken, and told that they do nothing. */
import { isMap } from './check.js'

/** By path, what is to be said of each. */
export const GONE: ReadonlyMap<string, string> = new Map([
  ['limits.filtersPerSubscribe', 'a SUBSCRIBE may hold as many filters as the session (limits.subscriptions)'],
])

/** Takes them out of `raw`. Returns their paths. */
export function dropGone(raw: unknown): string[][] {
  const paths = [...GONE.keys()].map((path) => path.split('.'))
  return paths.filter((path) => {
    let section = raw
    for (const step of path.slice(0, -1)) section = isMap(section) ? section[step] : undefined
    const key = path.at(-1)!
    if (!isMap(section) || !Object.hasOwn(section, key)) return false
    delete section[key]
    return true
  })
}
