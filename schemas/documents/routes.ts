/** The HTTP side of a command, for the documents. */
import type { TSchema } from 'typebox'
import type { Command, HttpRoute } from '../commands.js'
import type { ErrorCode } from '../errors.js'

type Properties = Record<string, TSchema>

export interface RouteDeps {
  path: Properties
  /** GET and DELETE. */
  query: Properties
  /** The others. */
  body: Properties
  required: ReadonlySet<string>
  /** Whether `Idempotency-Key` stands for a parameter. */
  idempotent: boolean
}

export function routeDeps({ params }: Command, { method, path }: HttpRoute): RouteDeps {
  const inPath = new Set([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))
  const all = Object.entries(params.properties)
  const rest = Object.fromEntries(all.filter(([name]) => !inPath.has(name)))
  const queried = method === 'GET' || method === 'DELETE'
  return {
    path: Object.fromEntries(all.filter(([name]) => inPath.has(name))),
    query: queried ? rest : {},
    body: queried ? {} : rest,
    required: new Set((params as { required?: string[] }).required),
    idempotent: 'cid' in rest,
  }
}

/** Subjects of commands whose name has no dot; others without one belong to messages. */
const SUBJECTS: Record<string, string> = { notify: 'notifications', broadcast: 'broadcast' }

/** The subject of a command: the part of its name before the dot. */
export function subjectOf(name: string): string {
  return name.includes('.') ? name.split('.')[0]! : (SUBJECTS[name] ?? 'messages')
}

/** Error codes specific to the command, beside those of any request. */
export function refusalsOf({ params, rate }: Command): ErrorCode[] {
  const { properties } = params
  const named = 'room' in properties || 'user' in properties
  return [
    ...(named ? (['forbidden', 'not_found'] as const) : []),
    ...('cid' in properties || rate === 'create' ? (['conflict'] as const) : []),
    ...('text' in properties ? (['too_large'] as const) : []),
  ]
}
