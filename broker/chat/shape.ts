/** Holds what clients sent against a schema. */
import type { Compile } from 'typebox/compile'
import { Refusal } from '../../schemas/errors.js'

/** Checks `value` against a compiled schema; the first fault becomes a refusal that names the field. */
export function checkShape(compiled: ReturnType<typeof Compile>, value: unknown): void {
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
  throw new Refusal(
    'bad_request',
    field ? `${field} ${fault!.message}` : `the request ${fault?.message ?? 'is not valid'}`,
    field ? { field } : {},
  )
}
