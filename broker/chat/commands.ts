/** What a client asks for, whichever door it came through: parameters are checked, the handler runs, the result is JSON text. */
import { Compile } from 'typebox/compile'
import {
  COMMANDS,
  type Command,
  type CommandName,
  type CommandParams,
  PLANNED_COMMANDS,
} from '../../schemas/commands.js'
import { Refusal } from '../../schemas/errors.js'
import { type Actor, requireUser } from './actor.js'
import type { Rates } from './rates.js'
import { checkShape } from './shape.js'

/** Results are JSON text, so that stored messages go out as they are. */
export type Handler<N extends CommandName> = (actor: Actor, params: CommandParams<N>) => Promise<string>
export type Handlers<N extends CommandName = CommandName> = { [K in N]: Handler<K> }

const validators = new Map(Object.entries(COMMANDS).map(([name, { params }]) => [name, Compile(params)]))

/** For those who are not logged in, too. */
const OPEN = new Set(Object.entries<Command>(COMMANDS).flatMap(([name, { open }]) => (open ? [name] : [])))

export class Commands {
  readonly #handlers: Handlers
  readonly #resultBytes: number
  readonly #rates: Rates

  /** `resultBytes`: longest result. */
  constructor(handlers: Handlers, resultBytes: number, rates: Rates) {
    this.#handlers = handlers
    this.#resultBytes = resultBytes
    this.#rates = rates
  }

  /** Rejects with a refusal, or with a bug. */
  async run(actor: Actor, name: string, params: unknown): Promise<string> {
    const validator = validators.get(name)
    if (!validator) throw unknownCommand(name)
    if (!OPEN.has(name)) requireUser(actor)
    this.#rates.requireCommand(actor, COMMANDS[name as CommandName].rate)
    checkShape(validator, params)
    const handler = this.#handlers[name as CommandName] as (actor: Actor, params: unknown) => Promise<string>
    const result = await handler(actor, params)
    if (result.length > this.#resultBytes)
      throw new Refusal('too_large', 'the reply would be too large; ask for a smaller page')
    return result
  }
}

function unknownCommand(name: string): Refusal {
  if (PLANNED_COMMANDS.has(name)) return new Refusal('not_implemented', `${name} is not built yet`)
  return new Refusal('not_found', `there is no method ${name}; there are ${[...validators.keys()].join(', ')}`)
}
