/** The methods of the SDK, as TypeScript: one for each command, and its HTTP route. */
import { COMMANDS, type Command } from '../commands.js'

const METHODS_HEAD = `/** What a client can ask for: one method for each command. Made by \`npm run schemas\` from the table of commands. */
import type { CommandParams as Params, CommandResult as Result } from '../../schemas/commands.js'
import type { CallOptions } from './calls.js'

/** Every method rejects with a \`ChatError\`. */
export interface Methods {
`

const ROUTES_HEAD = `/** The HTTP routes of the commands. Made by \`npm run schemas\` from the table of commands. */
import type { CommandName } from '../../schemas/commands.js'

/** Such as \`GET /rooms/{room}\`; null: not available over HTTP. */
export const ROUTES: Readonly<Record<CommandName, string | null>> = {
`

/** Commands by the parts of their names: `rooms.links.create` is `rooms: { links: { create } }`. */
interface Group {
  command: string | null
  readonly inner: Map<string, Group>
}

const all = Object.entries(COMMANDS as Record<string, Command>)

export function sdkMethods(): string {
  const root: Group = { command: null, inner: new Map() }
  for (const [name] of all) put(root, name)
  const lines = [...root.inner].flatMap(([key, group]) => written(key, group, '  '))
  return `${METHODS_HEAD}${lines.join('\n')}\n}\n`
}

export function sdkRoutes(): string {
  const lines = all.map(([name, { http }]) => `  '${name}': ${http ? `'${http.method} ${http.path}'` : 'null'},`)
  return `${ROUTES_HEAD}${lines.join('\n')}\n}\n`
}

function put(root: Group, name: string): void {
  let at = root
  for (const part of name.split('.')) {
    const next = at.inner.get(part) ?? { command: null, inner: new Map() }
    at.inner.set(part, next)
    at = next
  }
  at.command = name
}

function written(key: string, { command, inner }: Group, indent: string): string[] {
  const within = (deeper: string): string[] => [...inner].flatMap(([name, group]) => written(name, group, deeper))
  const deeper = `${indent}  `
  if (command === null) return [`${indent}readonly ${key}: {`, ...within(deeper), `${indent}}`]
  const { summary } = (COMMANDS as Record<string, Command>)[command]!
  const doc = `${indent}/** ${summary} */`
  if (inner.size === 0) return [doc, `${indent}${key}${signature(command)}`]
  // It is asked for itself, and there is more below it.
  return [doc, `${indent}readonly ${key}: {`, `${deeper}${signature(command)}`, ...within(deeper), `${indent}}`]
}

function signature(name: string): string {
  const { params } = (COMMANDS as Record<string, Command>)[name]!
  const needed = ((params as { required?: string[] }).required ?? []).length > 0
  return `(params${needed ? '' : '?'}: Params<'${name}'>, options?: CallOptions): Promise<Result<'${name}'>>`
}
