/** Checks every reply that a test receives against the table of commands. */
import assert from 'node:assert'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { COMMANDS, type CommandName } from '../../schemas/commands.js'

const validators = new Map(Object.entries(COMMANDS).map(([name, { result }]) => [name, Compile(result)]))

/** Throws if the result does not match the schema of `method`. */
export function checkResult(method: string, result: unknown): void {
  const validator = validators.get(method)
  assert.ok(validator, `${method} is no command, and yet it was answered`)
  const faults = validator.Check(result) ? [] : validator.Errors(result)
  assert.deepEqual(faults, [], `${method} answered ${JSON.stringify(result)}`)
  checkOldNames(COMMANDS[method as CommandName].result, result)
}

type Node = TSchema & {
  properties?: Record<string, Node>
  items?: Node
  anyOf?: Node[]
  deprecated?: true
  description?: string
}

/** Throws if a deprecated field differs from the field that replaces it. */
function checkOldNames({ properties = {}, items, anyOf = [] }: Node, value: unknown): void {
  if (items && Array.isArray(value)) for (const one of value) checkOldNames(items, one)
  if (typeof value !== 'object' || value === null) return
  for (const one of anyOf) checkOldNames(one, value)
  for (const [key, inner] of Object.entries(properties)) {
    const { [key]: said, ...others } = value as Record<string, unknown>
    const now = nameNow(inner)
    if (now !== null && said !== undefined) assert.deepEqual(said, others[now], `${key} and ${now}`)
    checkOldNames(inner, said)
  }
}

/** The present name of a deprecated field; null: it is not deprecated. */
export function nameNow({ deprecated, description }: Node): string | null {
  return deprecated ? /^Deprecated: use (\w+)\.$/.exec(description!)![1]! : null
}
