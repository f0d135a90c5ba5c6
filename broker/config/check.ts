/** Validates a raw configuration against the schema. Each fault has its path, what was expected and what was found. */

import type { TSchema } from 'typebox'
import Value from 'typebox/value'
import { ConfigSchema } from '../../schemas/config.js'

/** The parts of JSON Schema that the configuration uses. */
export interface SchemaNode extends TSchema {
  type?: string
  properties?: Record<string, SchemaNode>
  required?: string[]
  items?: SchemaNode
  anyOf?: SchemaNode[]
  enum?: string[]
  minimum?: number
  maximum?: number
  minItems?: number
  pattern?: string
  maxLength?: number
  default?: unknown
  description?: string
  /** Seconds, or a string with a unit. */
  duration?: boolean
  /** Never shown in messages. */
  secret?: boolean
}

export type Path = readonly (string | number)[]

export interface Fault {
  path: Path
  message: string
}

export const root = ConfigSchema as unknown as SchemaNode

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function pathText(path: Path): string {
  let text = ''
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`
  return text
}

/** All keys that hold a value (not sections), with their schema. */
export function leaves(schema: SchemaNode = root, path: string[] = []): { path: string[]; schema: SchemaNode }[] {
  if (!schema.properties) return [{ path, schema }]
  return Object.entries(schema.properties).flatMap(([key, child]) => leaves(child, [...path, key]))
}

/** The schema of a path; undefined: no such key. */
export function schemaAt(path: Path, schema: SchemaNode = root): SchemaNode | undefined {
  const [step, ...rest] = path
  if (step === undefined) return schema
  if (typeof step === 'number') return schema.items && schemaAt(rest, schema.items)
  if (!schema.properties || !Object.hasOwn(schema.properties, step)) return undefined
  return schemaAt(rest, schema.properties[step]!)
}

/** @param hidden Whether the value at a path must not be shown because it came from the environment. */
export function findFaults(value: unknown, hidden: (path: Path) => boolean): Fault[] {
  const faults: Fault[] = []
  walk(root, value, [])
  return faults

  function walk(schema: SchemaNode, value: unknown, path: Path): void {
    const section = isMap(value) ? sectionOf(schema) : undefined
    if (section) walkSection(section, value as Record<string, unknown>, path)
    else if (schema.items && Array.isArray(value) && value.length >= (schema.minItems ?? 0))
      value.forEach((item, i) => {
        walk(schema.items!, item, [...path, i])
      })
    else if (schema.properties || schema.items || !Value.Check(schema, value)) {
      const found = got(value, schema.secret === true || hidden(path))
      faults.push({ path, message: `expected ${expected(schema)}, got ${found}` })
    }
  }

  function walkSection(schema: SchemaNode, value: Record<string, unknown>, path: Path): void {
    const properties = schema.properties!
    for (const key of Object.keys(value))
      if (!Object.hasOwn(properties, key))
        faults.push({ path: [...path, key], message: `unknown key; ${suggest(path, key, properties)}` })
    for (const [key, child] of Object.entries(properties))
      if (value[key] !== undefined || schema.required?.includes(key)) walk(child, value[key], [...path, key])
  }
}

/** The section among the alternatives of a schema, in which faults can be named precisely. */
function sectionOf(schema: SchemaNode): SchemaNode | undefined {
  return schema.properties ? schema : schema.anyOf?.find((form) => form.properties)
}

function expected(schema: SchemaNode): string {
  if (schema.duration) return 'seconds, or a duration such as 30s, 5m, 12h or 30d'
  if (schema.enum) return schema.enum.length === 1 ? schema.enum[0]! : `one of ${schema.enum.join(', ')}`
  if (schema.anyOf) return schema.anyOf.map(expected).join(' or ')
  if (schema.properties) return 'a section'
  if (schema.items) return schema.minItems ? 'a list that is not empty' : 'a list'
  if (schema.type === 'integer' || schema.type === 'number') return expectedNumber(schema)
  if (schema.type === 'string')
    return schema.pattern
      ? `text matching ${schema.pattern}`
      : schema.maxLength
        ? `text of 1 to ${schema.maxLength} characters`
        : 'text that is not empty'
  return schema.type === 'boolean' ? 'true or false' : String(schema.type)
}

function expectedNumber({ type, minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: SchemaNode): string {
  const noun = type === 'integer' ? 'an integer' : 'a number'
  return maximum === Number.MAX_SAFE_INTEGER ? `${noun}, at least ${minimum}` : `${noun} from ${minimum} to ${maximum}`
}

function got(value: unknown, hide: boolean): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (isMap(value)) return 'a section'
  if (value !== null && hide) return `a ${typeof value} that is not shown`
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

function suggest(path: Path, key: string, siblings: Record<string, SchemaNode>): string {
  const known = Object.keys(siblings)
  const near = nearest(key, known)
  if (near !== undefined) return `did you mean ${pathText([...path, near])}?`
  const elsewhere = leaves().find((leaf) => leaf.path.at(-1)!.toLowerCase() === key.toLowerCase())
  return elsewhere ? `did you mean ${pathText(elsewhere.path)}?` : `known here: ${known.join(', ')}`
}

/** The candidate with the fewest edits, if they are few. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(1, Math.floor(text.length * 0.4)) + 1
  for (const candidate of candidates) {
    const distance = edits(text.toLowerCase(), candidate.toLowerCase())
    if (distance < fewest) [best, fewest] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
