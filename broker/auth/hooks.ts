/** The module named by `auth.hooks`. Its functions can only deny: anything but `true` in time denies. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '../../schemas/config.js'
import type { AuthHooks } from './principal.js'

const GUARDED = ['authenticate', 'authorizePublish', 'authorizeSubscribe'] as const
export type HookName = (typeof GUARDED)[number]
const NAMES: readonly string[] = [...GUARDED, 'scanFile']

/**
 * The module's hooks, guarded against exceptions. Undefined where the module has none, so that callers skip the work.
 */
export interface HookRunner {
  readonly authenticate: Guarded<'authenticate'> | undefined
  readonly authorizePublish: Guarded<'authorizePublish'> | undefined
  readonly authorizeSubscribe: Guarded<'authorizeSubscribe'> | undefined
  readonly scanFile: ScanFile | undefined
}

/** Rejects if the hook fails, or gives no answer within the time (seconds): that is no verdict. */
export type ScanFile = (file: Parameters<NonNullable<AuthHooks['scanFile']>>[0], timeout: number) => Promise<boolean>

/** Never throws or rejects. Returns a plain boolean if the hook answered synchronously. */
export type Guarded<N extends HookName> = (request: Request<N>) => boolean | Promise<boolean>
type Request<N extends HookName> = Parameters<NonNullable<AuthHooks[N]>>[0]

export interface HookOptions {
  /** Seconds. */
  timeout: number
  cwd?: string
  /** Called for every answer that is no boolean: exceptions, rejections, missed deadlines. For the log. */
  onFault?: (hook: HookName, error: Error) => void
}

export const noHooks: HookRunner = {
  authenticate: undefined,
  authorizePublish: undefined,
  authorizeSubscribe: undefined,
  scanFile: undefined,
}

/** Loads the module; `path` null: no hooks. Throws a `ConfigError` if it cannot be used. */
export async function loadHooks(path: string | null, options: HookOptions): Promise<HookRunner> {
  if (path === null) return noHooks
  const file = resolve(options.cwd ?? process.cwd(), path)
  return runHooks(await importModule(file), `auth.hooks: ${file}`, options)
}

/** Runs hooks that are functions already. `where`: what a `ConfigError` names. */
export function runHooks(exported: object, where: string, options: HookOptions): HookRunner {
  const hooks = exported as Record<string, unknown>
  checkHooks(hooks, where)
  const guarded = <N extends HookName>(name: N): Guarded<N> | undefined => {
    const hook = hooks[name] as ((request: Request<N>) => unknown) | undefined
    return hook && ((request) => ask(() => hook(request), name, options))
  }
  const publish = guarded('authorizePublish')
  return {
    authenticate: guarded('authenticate'),
    // The hook gets a copy: it may refuse the payload, not change it.
    authorizePublish: publish && ((request) => publish({ ...request, payload: Buffer.from(request.payload) })),
    authorizeSubscribe: guarded('authorizeSubscribe'),
    scanFile: scanWith(hooks['scanFile'] as AuthHooks['scanFile']),
  }
}

function scanWith(hook: AuthHooks['scanFile']): ScanFile | undefined {
  return (
    hook &&
    (async (file, timeout) => {
      const answer: unknown = await beforeDeadline((async () => hook(file))(), timeout)
      if (typeof answer === 'boolean') return answer
      throw new Error(`scanFile answered ${typeof answer}, expected true or false`)
    })
  )
}

/** Allows what both allow; the second is not asked about what the first refuses. */
export function bothOf(first: HookRunner, second: HookRunner): HookRunner {
  const both = <N extends HookName>(name: N): Guarded<N> | undefined => {
    const [one, other] = [first[name], second[name]] as [Guarded<N> | undefined, Guarded<N> | undefined]
    if (!one || !other) return one ?? other
    return (request) => {
      const said = one(request)
      if (typeof said === 'boolean') return said && other(request)
      return said.then((allowed) => allowed && other(request))
    }
  }
  return {
    authenticate: both('authenticate'),
    authorizePublish: both('authorizePublish'),
    authorizeSubscribe: both('authorizeSubscribe'),
    scanFile: bothScan(first.scanFile, second.scanFile),
  }
}

function bothScan(first: ScanFile | undefined, second: ScanFile | undefined): ScanFile | undefined {
  if (!first || !second) return first ?? second
  return async (file, timeout) => (await first(file, timeout)) && second(file, timeout)
}

async function importModule(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (cause) {
    throw new ConfigError([`auth.hooks: ${file} cannot be loaded: ${(cause as Error)?.message ?? cause}`])
  }
}

/** A misspelt hook would never be called, and so allow everything: unknown exports are refused. */
function checkHooks(exported: Record<string, unknown>, where: string): void {
  const faults = Object.keys(exported)
    .filter((name) => !NAMES.includes(name) || typeof exported[name] !== 'function')
    .map((name) =>
      NAMES.includes(name)
        ? `${where}: ${name} must be a function`
        : `${where}: unknown export ${name}; hooks are ${NAMES.join(', ')}`,
    )
  if (Object.keys(exported).length === 0) faults.push(`${where}: exports none of ${NAMES.join(', ')}`)
  if (faults.length > 0) throw new ConfigError(faults)
}

function ask(hook: () => unknown, name: HookName, options: HookOptions): boolean | Promise<boolean> {
  const deny = (why: unknown): false => {
    options.onFault?.(name, why instanceof Error ? why : new Error(String(why)))
    return false
  }
  try {
    const answer = hook()
    if (typeof answer === 'boolean') return answer
    // A value that is neither a boolean nor a promise of one is refused below.
    return beforeDeadline(Promise.resolve(answer), options.timeout).then(
      (late) => (typeof late === 'boolean' ? late : deny(`answered ${typeof late}, expected true or false`)),
      deny,
    )
  } catch (error) {
    return deny(error)
  }
}

function beforeDeadline(answer: Promise<unknown>, seconds: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${seconds} s`)), seconds * 1000)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
