import type { FastifyRequest } from 'fastify'
import type { HttpPage } from '../../schemas/commands.js'

type Result = { more: boolean } & Record<string, unknown>

/** Where the next page of a list is: the same request from the last entry on, or back from the first. Null: this was the last one. */
export function nextPage(
  { url, query }: FastifyRequest,
  { items, key, back }: HttpPage,
  result: string,
): string | null {
  if (!result.endsWith('"more":true}')) return null
  const entries = (JSON.parse(result) as Result)[items] as Record<string, unknown>[]
  const backwards = back === true && !Object.hasOwn(query as object, 'after')
  const edge = entries.at(backwards ? 0 : -1)?.[key]
  if (edge === undefined) return null
  const [path, search = ''] = url.split('?')
  const next = new URLSearchParams(search)
  next.set(backwards ? 'before' : 'after', String(edge))
  return `${path}?${next}`
}
