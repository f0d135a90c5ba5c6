/** Reads a command's parameters from an HTTP request: path, query (GET, DELETE) or body, and `Idempotency-Key`. */
import type { FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import type { Command, HttpRoute } from '../../schemas/commands.js'
import { Refusal } from '../../schemas/errors.js'

type Values = Record<string, unknown>

/** Unvalidated: the command checks its parameters the same way for all protocols. */
export function parametersOf(request: FastifyRequest, { params }: Command, { method }: HttpRoute): Values {
  const query = request.query as Values
  const given = takesBody(method) ? bodyOf(request, query) : queryOf(request, query, params)
  const path = fromText(request.params as Values, params)
  for (const [name, value] of Object.entries(path)) {
    if (Object.hasOwn(given, name) && given[name] !== value)
      throw new Refusal('bad_request', `${name} is in the path, and another one beside it`, { field: name })
  }
  return withKey({ ...given, ...path }, request, params)
}

function takesBody(method: HttpRoute['method']): boolean {
  return method !== 'GET' && method !== 'DELETE'
}

function bodyOf({ body }: FastifyRequest, query: Values): Values {
  const [stray] = Object.keys(query)
  if (stray === undefined) return (body ?? {}) as Values
  throw new Refusal('bad_request', `${stray} is in the query; here parameters go into a JSON body`, { field: stray })
}

function queryOf({ body }: FastifyRequest, query: Values, params: TObject): Values {
  if (body !== undefined) throw new Refusal('bad_request', 'a body has no meaning here; parameters go into the query')
  return fromText(query, params)
}

/** Converts text to the type in the schema where possible; anything else stays unchanged, and validation names it. */
function fromText(texts: Values, { properties }: TObject): Values {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, read(text, properties[name])]))
}

function read(text: unknown, schema: { type?: unknown; items?: unknown } | undefined): unknown {
  if (schema?.type === 'array') return [text].flat().map((one) => read(one, schema.items as { type?: unknown }))
  if (typeof text !== 'string') return text
  if (schema?.type === 'integer') return /^-?\d{1,16}$/.test(text) ? Number(text) : text
  if (schema?.type === 'boolean') return text === 'true' || (text === 'false' ? false : text)
  return text
}

/** `Idempotency-Key` becomes the `cid` of a message; as a structured field it is quoted. */
function withKey(values: Values, { headers }: FastifyRequest, { properties }: TObject): Values {
  const header = headers['idempotency-key']
  if (header === undefined || !('cid' in properties)) return values
  const cid = /^"(.*)"$/.exec(String(header))?.[1] ?? String(header)
  if (values['cid'] !== undefined && values['cid'] !== cid)
    throw new Refusal('conflict', 'Idempotency-Key and cid say different things', { field: 'cid' })
  return { ...values, cid }
}
