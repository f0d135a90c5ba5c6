/** The methods of the SDK: one for each command, as TypeScript. */
import { COMMANDS, type Command } from '../commands.js'

const HEAD = `/** What a client can ask for: one method for each command. Made by \`npm run schemas\` from the table of commands. */
import type { CommandParams as Params } from '../../schemas/commands.js'
import type { Call, CallOptions } from './calls.js'

export type Methods = ReturnType<typeof methods>

/** By whatever door \`call\` goes through. Every method rejects with a \`ChatError\`. */
export function methods(call: Call) {
  return {
`

/** Commands by the parts of their names: \`rooms.links.create\` is \`rooms: { links: { create } }\`. */
interface Group {
  command: string | null
  readonly inner: Map<string, Group>
}

export function sdkMethods(): string {
  const all = Object.entries(COMMANDS as Record<string, Command>)
  const root: Group = { command: null, inner: new Map() }
  for (const [name] of all) put(root, name)
  const lines = [...root.inner].flatMap(([key, group]) => written(key, group, '    '))
  return `${HEAD}${lines.join('\n')}\n  }\n}\n`
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
  if (command === null) return [`${indent}${key}: {`, ...within(`${indent}  `), `${indent}},`]
  const { summary } = (COMMANDS as Record<string, Command>)[command]!
  const doc = `${indent}/** ${summary} */`
  if (inner.size === 0) return [doc, `${indent}${key}: ${method(command)},`]
  // It is asked for itself, and there is more below it.
  const parts = [`${indent}${key}: Object.assign(${method(command)}, {`, ...within(`${indent}  `), `${indent}}),`]
  return [doc, ...parts]
}

function method(name: string): string {
  const { params, http } = (COMMANDS as Record<string, Command>)[name]!
  const needed = ((params as { required?: string[] }).required ?? []).length > 0
  const route = http ? `'${http.method} ${http.path}'` : 'null'
  return `(params: Params<'${name}'>${needed ? '' : ' = {}'}, options?: CallOptions) => call('${name}', params, ${route}, options)`
}
