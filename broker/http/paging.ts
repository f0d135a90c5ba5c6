import type { FastifyRequest } from 'fastify'
import type { HttpPage } from '../../schemas/commands.js'

/** `cursor`, `before` or `after` if the page itself says how to continue. */
type Page = { more: boolean; cursor?: string; before?: number; after?: number } & Record<string, unknown>

/**
 * The URL of the next page of a list: the same request with the position to continue from. Null: this was the last
 * page.
 */
export function nextPage({ url, query }: FastifyRequest, list: HttpPage, result: string): string | null {
  // Avoids parsing: most results are a single page.
  if (!result.includes('"more":true')) return null
  const page = endOf(result) ?? (JSON.parse(result) as Page)
  const backwards = list.back === true && !Object.hasOwn(query as object, 'after')
  const parameter = list.key === undefined ? 'cursor' : backwards ? 'before' : 'after'
  const edge = page[parameter] ?? edgeOf(page, list, backwards)
  if (!page.more || edge === undefined) return null
  const [path, search = ''] = url.split('?')
  const next = new URLSearchParams(search)
  for (const name of list.start ?? []) next.delete(name)
  next.set(parameter, String(edge))
  return `${path}?${next}`
}

const LONGEST_END = 64

/** Parses only the keys behind the list, if they say how to continue. */
function endOf(result: string): Page | null {
  const end = /,("more":true,"(?:before|after)":\d+\})$/.exec(result.slice(-LONGEST_END))
  return end && (JSON.parse(`{${end[1]}`) as Page)
}

/** The position after the last entry, or before the first if the list is read backwards. */
function edgeOf(page: Page, { items, key }: HttpPage, backwards: boolean): unknown {
  if (key === undefined) return undefined
  return (page[items] as Record<string, unknown>[]).at(backwards ? 0 : -1)?.[key]
}
