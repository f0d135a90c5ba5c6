import type { FastifyRequest } from 'fastify'
import type { HttpPage } from '../../schemas/commands.js'

/** `before` or `after`, where the page itself says how to go on. */
type Page = { more: boolean; before?: number; after?: number } & Record<string, unknown>

/** Where the next page of a list is: the same request from the last entry on, or back from the first. Null: this was the last one. */
export function nextPage(
  { url, query }: FastifyRequest,
  { items, key, back }: HttpPage,
  result: string,
): string | null {
  // Most pages are the only one, and need not be read for this.
  if (!result.includes('"more":true')) return null
  const page = JSON.parse(result) as Page
  const entries = page[items] as Record<string, unknown>[]
  const backwards = back === true && !Object.hasOwn(query as object, 'after')
  const edge = (backwards ? page.before : page.after) ?? entries.at(backwards ? 0 : -1)?.[key]
  if (!page.more || edge === undefined) return null
  const [path, search = ''] = url.split('?')
  const next = new URLSearchParams(search)
  next.set(backwards ? 'before' : 'after', String(edge))
  return `${path}?${next}`
}
