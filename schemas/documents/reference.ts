/** docs/reference.md: the commands in prose, generated from the table. */
import type { TSchema } from 'typebox'
import { API, COMMANDS, type Command, type HttpRoute } from '../commands.js'
import { ERRORS } from '../errors.js'
import { exampleObject, exampleOf } from './examples.js'
import { refusalsOf, routeDeps } from './routes.js'

export function reference(): string {
  const commands = Object.entries(COMMANDS as Record<string, Command>)
  return [
    HEAD,
    `| code | HTTP | MQTT 5 | meaning |\n|---|---|---|---|\n${errors()}`,
    ...commands.map(([name, command]) => section(name, command)),
    OBJECTS,
    ...namedIn(commands.flatMap(([, { params, result }]) => [params, result])).map(objectSection),
  ].join('\n\n')
}

const HEAD = `# Requests

Made from the table of commands by \`npm run schemas\`; do not edit.

Each is asked for in either of two ways, with the same parameters, checks and result:

- **MQTT**: publish \`{"id":"r1", …}\` to \`users/{me}/requests/{name}\`; the answer comes on \`users/{me}/replies\`, with \`"re":"r1"\`.
- **HTTP**: the route, with \`Authorization: Bearer {token}\` or a user name and password. Parameters that are not in the path go into the
  query (GET, DELETE) or a JSON body. Errors are problem documents with the same codes.

The same for programs: [OpenAPI](../schemas/json/openapi.json), [AsyncAPI](../schemas/json/asyncapi.json),
[JSON Schemas](../schemas/json); a running broker serves them at \`${API}/openapi.json\`, \`${API}/asyncapi.json\` and, to browse, \`/docs\`.

## Errors

Any request may be refused with \`bad_request\`, \`unauthorized\`, \`rate_limited\`, \`unavailable\` or \`internal\`; others are named
with the request.`

function errors(): string {
  return Object.entries(ERRORS)
    .map(
      ([code, { status, reason, title }]) =>
        `| \`${code}\` | ${status} | 0x${reason.toString(16).toUpperCase()} | ${title} |`,
    )
    .join('\n')
}

function section(name: string, command: Command): string {
  const { summary, params, result, rate, http } = command
  const route = http ? `\`${http.method} ${API}${http.path}\`` : 'MQTT only'
  const refused = refusalsOf(command).map((code) => `\`${code}\``)
  return [
    `## ${name}`,
    summary,
    `${route} · \`users/{me}/requests/${name}\` · counts as ${rate}${refused.length > 0 ? ` · refused with ${refused.join(', ')}` : ''}`,
    fields('parameter', params),
    ...inner(params),
    fields('result', result) || 'The result is empty.',
    ...inner(result),
    `\`\`\`text\n${[...(http ? [httpExample(command, http), ''] : []), mqttExample(name, command)].join('\n')}\n\`\`\``,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

type Node = TSchema & {
  type?: string
  title?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  anyOf?: Node[]
  items?: Node
  properties?: Record<string, Node>
  required?: string[]
}

/** A table of the fields of an object; of a choice of objects, their names. */
function fields(what: string, schema: TSchema): string {
  const { properties, required = [], anyOf, title, description } = schema as Node
  if (anyOf) return anyOf.map((one) => fields(what, one)).join('\n\n')
  if (!properties || Object.keys(properties).length === 0) return ''
  const head = what === 'result' && title ? `Result, ${title}: ${description ?? ''}\n\n` : ''
  const rows = Object.entries(properties).map(([name, one]) =>
    row(name, one, what === 'result' || required.includes(name)),
  )
  return `${head}| ${what} | type | |\n|---|---|---|\n${rows.join('\n')}`
}

const OBJECTS = `# Objects

What several requests take or answer with.`

function objectSection(schema: Node): string {
  const { title, description = '' } = schema
  return [`## Object: ${title}`, description, fields('field', schema), ...inner(schema)]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Tables of the objects within that have no name of their own. */
function inner(schema: TSchema, path = ''): string[] {
  const { properties = {}, anyOf } = schema as Node
  if (anyOf) return anyOf.flatMap((one) => inner(one, path))
  return Object.entries(properties).flatMap(([name, one]) => {
    const [within, many] = objectIn(one)
    if (!within || within.title) return []
    const place = `${path}${name}${many ? '[]' : ''}`
    const said = within.description ? `: ${within.description}` : ''
    const table = fields('field', within)
    return table === '' ? [] : [`\`${place}\`${said}\n\n${table}`, ...inner(within, `${place}.`)]
  })
}

/** The object that a field holds, or its array does. */
function objectIn({ type, items, anyOf, ...rest }: Node): [Node | null, boolean] {
  if (items) return [objectIn(items)[0], true]
  if (anyOf) return anyOf.map(objectIn).find(([node]) => node !== null) ?? [null, false]
  return [type === 'object' && rest.properties ? { type, ...rest } : null, false]
}

/** Objects with a name, each once, by name. */
function namedIn(schemas: readonly TSchema[]): Node[] {
  const named = new Map<string, Node>()
  const look = (schema: Node): void => {
    const { title, items, anyOf = [], properties = {} } = schema
    if (title && schema.properties) named.set(title, schema)
    for (const one of [...anyOf, ...(items ? [items] : []), ...Object.values(properties)]) look(one)
  }
  for (const schema of schemas) look(schema as Node)
  return [...named.values()].sort((a, b) => (a.title! < b.title! ? -1 : 1))
}

function linkTo(title: string): string {
  return `[${title}](#object-${title.toLowerCase()})`
}

function row(name: string, schema: Node, required: boolean): string {
  const { description = schema.anyOf?.find((one) => one.description)?.description ?? '', default: fallback } = schema
  const aside = fallback !== undefined ? `, ${JSON.stringify(fallback)}` : required ? '' : ', optional'
  return `| \`${name}\` | ${typeOf(schema)}${aside} | ${description} |`
}

function typeOf({ type, title, enum: values, anyOf, items, properties }: Node): string {
  if (title && properties) return linkTo(title)
  if (values) return values.map((value) => `\`${value}\``).join(' ')
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (items) return `array of ${typeOf(items)}`
  return title ?? type ?? 'any'
}

function httpExample(command: Command, http: HttpRoute): string {
  const { path, query } = routeDeps(command, http)
  const params = exampleObject(command.params)
  const rest = Object.entries(params).filter(([name]) => !(name in path))
  const url = `${API}${http.path.replace(/\{(\w+)\}/g, (_, name: string) => String(params[name]))}`
  const search = rest.filter(([name]) => name in query).map(([name, value]) => `${name}=${value}`)
  const body = rest.length > search.length ? `  ${JSON.stringify(Object.fromEntries(rest))}` : ''
  const line = `${http.method} ${url}${search.length > 0 ? `?${search.join('&')}` : ''}${body}`
  return `${line}\n${http.status ?? 200}  ${JSON.stringify(exampleOf(command.result))}`
}

function mqttExample(name: string, { params, result }: Command): string {
  const request = JSON.stringify({ id: 'r1', ...exampleObject(params) })
  const reply = JSON.stringify({ re: 'r1', method: name, ok: true, result: exampleOf(result) })
  return `users/alice/requests/${name}  ${request}\nusers/alice/replies  ${reply}`
}
