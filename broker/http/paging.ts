import type { FastifyRequest } from 'fastify'
import type { HttpPage } from '../../schemas/commands.js'

/** `cursor`, `before` or `after`, where the page itself says how to go on. */
type Page = { more: boolean; cursor?: string; before?: number; after?: number } & Record<string, unknown>

/** Where the next page of a list is: the same request, with what it goes on with. Null: this was the last one. */
export function nextPage({ url, query }: FastifyRequest, list: HttpPage, result: string): string | null {
  // Most pages are the only one, or end with how to go on: neither need be read for this.
  if (!result.includes('"more":true')) return null
  const page = endOf(result) ?? (JSON.parse(result) as Page)
  const backwards = list.back === true && !Object.hasOwn(query as object, 'after')
  const parameter = list.key === undefined ? 'cursor' : backwards ? 'before' : 'after'
  const edge = page[parameter] ?? edgeOf(page, list, backwards)
  if (!page.more || edge === undefined) return null
  const [path, search = ''] = url.split('?')
  const next = new URLSearchParams(search)
  next.set(parameter, String(edge))
  return `${path}?${next}`
}

const LONGEST_END = 64

/** The keys behind the entries, where they alone say how to go on. */
function endOf(result: string): Page | null {
  const end = /,("more":true,"(?:before|after)":\d+\})$/.exec(result.slice(-LONGEST_END))
  return end && (JSON.parse(`{${end[1]}`) as Page)
}

/** What is known of the last entry, or of the first one where the list is read backwards. */
function edgeOf(page: Page, { items, key }: HttpPage, backwards: boolean): unknown {
  if (key === undefined) return undefined
  return (page[items] as Record<string, unknown>[]).at(backwards ? 0 : -1)?.[key]
}
