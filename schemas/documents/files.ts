/** The generated documents, by path. `npm run schemas` writes them. */

import type { TSchema } from 'typebox'
import { SentMessage } from '../commands/shown-message.js'
import { COMMANDS, type Command } from '../commands.js'
import { ConfigSchema } from '../config.js'
import { Problem } from '../problem.js'
import { asyncApi } from './asyncapi.js'
import { Components, type Json } from './components.js'
import { sdkMethods, sdkRoutes } from './methods.js'
import { openApi } from './openapi.js'
import * as payloads from './payloads.js'
import { reference } from './reference.js'
import { documentText } from './text.js'

/** `properties`, a section, its `properties`, a key. */
const CONFIG_LEVELS = 4

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** `version`: of the package. */
export function documentFiles(version: string): Record<string, string> {
  const json: Record<string, Json> = {
    openapi: openApi(version),
    asyncapi: asyncApi(version),
    commands: commandSchemas(),
    config: configSchema(),
    ...Object.fromEntries(messageSchemas()),
  }
  const files = Object.entries(json).map(([name, document]) => [
    `schemas/json/${name}.json`,
    documentText(document, name === 'config' ? CONFIG_LEVELS : undefined),
  ])
  return {
    'docs/reference.md': `${reference()}\n`,
    'client/requests/method-types.ts': sdkMethods(),
    'client/requests/routes.ts': sdkRoutes(),
    ...Object.fromEntries(files),
  }
}

function messageSchemas(): [string, Json][] {
  const schemas = {
    'message-in': payloads.MessageIn,
    'message-out': SentMessage,
    reply: payloads.Reply,
    problem: Problem,
  }
  return Object.entries(schemas).map(([name, schema]) => [name, standalone(schema)])
}

function standalone(schema: TSchema): Json {
  return { $schema: DIALECT, ...(JSON.parse(JSON.stringify(schema)) as Json) }
}

/** `#/$defs/{command}.params` and `.result`. */
function commandSchemas(): Json {
  const components = new Components('#/$defs/')
  const defs: Record<string, Json> = {}
  for (const [name, { params, result }] of Object.entries(COMMANDS as Record<string, Command>)) {
    defs[`${name}.params`] = components.use(params)
    defs[`${name}.result`] = components.use(result)
  }
  return { $schema: DIALECT, title: 'Commands', $defs: { ...defs, ...components.all() } }
}

/** The JSON Schema of config.yaml, for editors: keys with a default are optional. */
function configSchema(): Json {
  return { $schema: DIALECT, ...(withoutDefaulted(JSON.parse(JSON.stringify(ConfigSchema))) as Json) }
}

function withoutDefaulted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutDefaulted)
  const schema = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutDefaulted(inner)])) as Json
  const { properties, required } = schema as { properties?: Record<string, Json>; required?: unknown }
  if (!properties || !Array.isArray(required)) return schema
  const needed = required.filter((name: string) => properties[name]?.['default'] === undefined)
  const { required: _, ...rest } = schema
  return needed.length > 0 ? { ...rest, required: needed } : rest
}
