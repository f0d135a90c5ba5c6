/** The table of commands, for all transports: parameters are checked, the handler runs, and the result is JSON text. */
import { Compile } from 'typebox/compile'
import { COMMANDS, type Command, type CommandName, type CommandParams } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import { once } from '../../util/once.js'
import { type Actor, requireUser } from '../model/actor.js'
import { type Act, type Audit, auditActor } from '../model/audit.js'
import { checkSchema } from '../model/check-schema.js'
import { type DiskSpace, requireSpaceFor } from '../model/disk-space.js'
import type { Rates } from '../model/rates.js'
import { cutList } from './lists.js'

/** The result is JSON text, so that stored messages are copied without parsing. */
type Handler<N extends CommandName> = (actor: Actor, params: CommandParams<N>) => Promise<string>
export type Handlers<N extends CommandName = CommandName> = { [K in N]: Handler<K> }

type Validator = ReturnType<typeof Compile>

/** Validators are compiled on first use: compiling all of them would be half of the compile time of a start. */
const validators = new Map<string, () => Validator>(
  Object.entries(COMMANDS).map(([name, { params }]) => [name, once((): Validator => Compile(params))]),
)

/** Commands that need no login. */
const WITHOUT_LOGIN = new Set(Object.entries<Command>(COMMANDS).flatMap(([name, { open }]) => (open ? [name] : [])))

export class Commands {
  readonly #handlers: Handlers
  readonly #resultBytes: number
  readonly #rates: Rates
  readonly #audit: Audit
  readonly #space: DiskSpace

  /** `resultBytes`: longer lists are cut. */
  constructor(handlers: Handlers, resultBytes: number, rates: Rates, audit: Audit, space: DiskSpace) {
    this.#handlers = handlers
    this.#resultBytes = resultBytes
    this.#rates = rates
    this.#audit = audit
    this.#space = space
  }

  /** Runs a command and resolves with its result as JSON. @throws Refusal */
  async run(actor: Actor, name: string, given: object): Promise<string> {
    const validator = validators.get(name)?.()
    if (!validator) throw unknownCommand(name)
    if (!WITHOUT_LOGIN.has(name)) requireUser(actor)
    this.#rates.requireCommand(actor, COMMANDS[name as CommandName].rate)
    requireSpaceFor(this.#space, name as CommandName)
    const old = deprecatedIn(given, name as CommandName)
    if (old.length === 0) return this.#checked(actor, name as CommandName, validator, given)
    const params = withPresentNames(given as Record<string, unknown>, old)
    return this.#checked(actor, name as CommandName, validator, params).catch((error: unknown) => {
      throw withDeprecatedNames(error, old)
    })
  }

  async #checked(actor: Actor, name: CommandName, validator: Validator, params: object): Promise<string> {
    checkSchema(validator, params)
    requireCookieDoor(actor, params)
    const handler = this.#handlers[name] as (actor: Actor, params: unknown) => Promise<string>
    const act = auditedAct(name, params as Record<string, unknown>)
    const work = (): Promise<string> => handler(actor, params)
    const result = await (act
      ? this.#audit.runAudited(auditActor(actor), act, work, (done) => withAuditedUser(act, done))
      : work())
    const page = COMMANDS[name as CommandName].http?.page
    return page ? cutList(result, page, Object.hasOwn(params as object, 'after'), this.#resultBytes) : result
  }
}

/** Cookies are headers of HTTP. @throws Refusal */
function requireCookieDoor({ sessionId }: Actor, { cookie }: { cookie?: boolean }): void {
  if (cookie === true && sessionId !== null)
    throw new Refusal('bad_request', 'there are cookies over HTTP only; leave cookie out, and keep refreshToken', {
      field: 'cookie',
    })
}

/** Deprecated parameter names in the request, with their present names. */
function deprecatedIn(given: object, name: CommandName): [string, string][] {
  const { deprecated = {} } = COMMANDS[name] as Command
  return Object.entries(deprecated).filter(([old]) => Object.hasOwn(given, old))
}

function withPresentNames(given: Readonly<Record<string, unknown>>, names: readonly [string, string][]): object {
  const params = { ...given }
  for (const [old, now] of names) {
    if (Object.hasOwn(given, now) && given[now] !== given[old])
      throw new Refusal('bad_request', `${old} is the old name of ${now}; here they differ`, { field: old })
    params[now] = given[old]
    delete params[old]
  }
  return params
}

/** A refusal names the field as it was sent. */
function withDeprecatedNames(error: unknown, names: readonly [string, string][]): unknown {
  if (!(error instanceof Refusal)) return error
  const old = names.find(([, now]) => now === error.field)?.[0]
  if (old === undefined) return error
  const message = error.message.replace(new RegExp(`^${error.field} `), `${old} `)
  return new Refusal(error.code, message, { field: old, retryAfter: error.retryAfter, cause: error })
}

/** What the audit log records of a command; null: nothing. */
function auditedAct(action: CommandName, params: Record<string, unknown>): Act | null {
  const { audit } = COMMANDS[action] as Command
  if (!audit) return null
  const { user, room } = params as { user?: string; room?: string }
  const recorded = audit === true ? [] : audit.filter((key) => params[key] !== undefined)
  const details =
    recorded.length > 0 ? Object.fromEntries(recorded.map((key) => [key, recordedValue(key, params[key])])) : undefined
  return { action, user, room, details }
}

/** With the user whom the result names. */
function withAuditedUser(act: Act, result: string): Act {
  const { auditedUser } = COMMANDS[act.action as CommandName] as Command
  return auditedUser === undefined ? act : { ...act, user: JSON.parse(result)[auditedUser] }
}

/** Of a URL only the origin is recorded, because paths and queries of webhooks often carry secrets. */
function recordedValue(key: string, value: unknown): unknown {
  if (key !== 'url' || typeof value !== 'string' || !URL.canParse(value)) return value
  const { origin, pathname, search } = new URL(value)
  return pathname === '/' && search === '' ? origin : `${origin}/…`
}

function unknownCommand(name: string): Refusal {
  return new Refusal('not_found', `there is no method ${name}; there are ${[...validators.keys()].join(', ')}`)
}
