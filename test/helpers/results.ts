/** Every reply a test sees is held to the table of commands. */
import assert from 'node:assert'
import { Compile } from 'typebox/compile'
import { COMMANDS } from '../../schemas/commands.js'

const validators = new Map(Object.entries(COMMANDS).map(([name, { result }]) => [name, Compile(result)]))

/** Throws where a result is not what the table promises of `method`. */
export function checkResult(method: string, result: unknown): void {
  const validator = validators.get(method)
  assert.ok(validator, `${method} is no command, and yet it was answered`)
  const faults = validator.Check(result) ? [] : validator.Errors(result)
  assert.deepEqual(faults, [], `${method} answered ${JSON.stringify(result)}`)
}
