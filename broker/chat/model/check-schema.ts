/** Checks what clients sent against compiled schemas. */
import type { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import { patternWords } from '../../../schemas/patterns.js'

/** @throws Refusal `bad_request` for the first fault, naming the field. */
export function checkSchema(compiled: ReturnType<typeof Compile>, value: unknown): void {
  if (compiled.Check(value)) return
  const faults = compiled.Errors(value)
  const fault = faults.find(({ keyword }) => keyword !== 'boolean') ?? faults[0]
  if (fault?.keyword === 'additionalProperties') {
    const field = (fault.params as { additionalProperties: string[] }).additionalProperties[0]!
    throw new Refusal('bad_request', `unknown field ${JSON.stringify(field)}`, { field })
  }
  if (fault?.keyword === 'required') {
    const field = (fault.params as { requiredProperties: string[] }).requiredProperties[0]!
    throw new Refusal('bad_request', `${field} is missing`, { field })
  }
  const field = (fault?.instancePath ?? '').slice(1).replaceAll('/', '.')
  const message = fault ? inWords(fault) : 'is not valid'
  throw new Refusal('bad_request', `${field || 'the request'} ${message}`, field ? { field } : {})
}

/** A fault as a readable sentence; other keywords keep the message of TypeBox. */
function inWords({ keyword, params, message }: { keyword: string; params: unknown; message: string }): string {
  const { limit, pattern, allowedValues } = params as { limit: number; pattern: string; allowedValues: unknown[] }
  switch (keyword) {
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`
    case 'maxLength':
      return `must have at most ${limit} characters`
    case 'minItems':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} entries`
    case 'maxItems':
      return `must have at most ${limit} entries`
    case 'minimum':
      return `must be at least ${limit}`
    case 'maximum':
      return `must be at most ${limit}`
    case 'enum':
      return `must be one of ${allowedValues.join(', ')}`
    case 'pattern':
      return `must be ${patternWords(pattern) ?? `text that matches ${pattern}`}`
    default:
      return message
  }
}
