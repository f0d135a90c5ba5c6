/** Example values for schemas. */
import type { TObject, TSchema } from 'typebox'

/** Example values by name. */
const NAMES: Readonly<Record<string, unknown>> = {
  room: 'tea',
  session: 'phone',
  webhook: 'crm',
  user: 'bob',
  from: 'bob',
  by: 'bob',
  createdBy: 'bob',
  text: 'hello',
  name: 'tea',
  topic: null,
  maxMembers: null,
  policies: null,
  unreadFrom: null,
  mutedUntil: null,
  keywords: ['release', 'green tea'],
  emoji: '👍',
  device: 'lamp',
  file: '4f1d9c0b7e2a4835a6c1d0e9f8b7a635',
  bot: 'helper',
  thinned: [],
  seq: 42,
  head: 42,
  read: 40,
  delivered: 42,
  unread: 2,
  mentions: 1,
  notify: 2,
  members: 3,
  code: '123456',
  avatar: null,
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.…',
}
/** Optional keys that examples show. */
const SHOWN: ReadonlySet<string> = new Set(['text', 'refreshToken'])
const UUID = '019b7701-9c00-7000-8000-000000000001'
const TIME = 1_767_225_600_000

type Node = TSchema & {
  deprecated?: boolean
  type?: string
  description?: string
  default?: unknown
  examples?: unknown[]
  minimum?: number
  enum?: unknown[]
  anyOf?: Node[]
  items?: Node
  properties?: Record<string, Node>
  required?: string[]
}

export function exampleOf(schema: TSchema, name = ''): unknown {
  const { type, description = '', default: fallback, examples, minimum, enum: values, anyOf, items } = schema as Node
  if (examples) return examples[0]
  if (description.startsWith('UUID')) return UUID
  if (fitsName(name, schema)) return NAMES[name]
  if (fallback !== undefined) return fallback
  if (values) return values[0]
  if (anyOf) return exampleOf(anyOf[0]!, name)
  switch (type) {
    case 'integer':
    case 'number':
      return description.endsWith('Unix ms.') ? TIME : (minimum ?? 1)
    case 'boolean':
      return false
    case 'array':
      return items ? [exampleOf(items)] : []
    case 'object':
      return exampleObject(schema as TObject)
    default:
      return '…'
  }
}

/** The current name of a deprecated field; null: it is not deprecated. */
function nameNow({ deprecated, description = '' }: Node): string | null {
  return deprecated === true ? (/^Deprecated: use (\w+)/.exec(description)?.[1] ?? null) : null
}

/** Whether the example of that name is valid for the schema. */
function fitsName(name: string, { type, anyOf }: Node): boolean {
  if (!(name in NAMES)) return false
  const value = NAMES[name]
  if (anyOf) return value === null || anyOf.some((one) => fitsName(name, one))
  if (typeof value === 'number') return type === 'integer'
  return Array.isArray(value) ? type === 'array' : type === 'string' && typeof value === 'string'
}

/** The keys it needs, and some that are mostly there. */
export function exampleObject(schema: TObject): Record<string, unknown> {
  const { properties, required = [] } = schema as Node
  const shown = Object.entries(properties ?? {}).filter(([key]) => required.includes(key) || SHOWN.has(key))
  return Object.fromEntries(
    shown.map(([key, value]) => {
      const now = nameNow(value) ?? key
      return [key, exampleOf(properties![now]!, now)]
    }),
  )
}
