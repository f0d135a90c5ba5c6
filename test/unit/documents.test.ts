/** The documents of the wire contract: made from the table and the schemas, committed, whole. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'
import { SentMessage } from '../../schemas/commands/shown-message.js'
import { API, COMMANDS, type Command } from '../../schemas/commands.js'
import { asyncApi } from '../../schemas/documents/asyncapi.js'
import { Components } from '../../schemas/documents/components.js'
import { exampleObject, exampleOf } from '../../schemas/documents/examples.js'
import { documentFiles } from '../../schemas/documents/files.js'
import { openApi } from '../../schemas/documents/openapi.js'
import { TOPIC_DOCUMENTS } from '../../schemas/documents/payloads.js'
import { patternWords } from '../../schemas/patterns.js'
import { parseTopic } from '../../schemas/topics.js'
import { WEBHOOK_EVENTS } from '../../schemas/webhooks.js'

// biome-ignore lint/suspicious/noExplicitAny: documents are any JSON
type Json = any

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
const files = documentFiles(version)
const table = Object.entries(COMMANDS as Record<string, Command>)

t.test('the committed files are what the sources say (npm run schemas)', async (t) => {
  for (const [path, text] of Object.entries(files))
    t.equal(readFileSync(path, 'utf8'), text, `${path} is generated: run npm run schemas`)
})

t.test('the reference of the SDK is what its sources say (npm run schemas)', async (t) => {
  const { sdkReference } = await import(new URL('../../../scripts/sdk-reference.mjs', import.meta.url).href)
  t.equal(readFileSync('docs/sdk-reference.md', 'utf8'), sdkReference('.'), 'run npm run schemas')
})

t.test('every command is in every document', async (t) => {
  const open: Json = openApi(version)
  const async: Json = asyncApi(version)
  const commands = JSON.parse(files['schemas/json/commands.json']!)
  for (const [name, { http, summary }] of table) {
    if (http) t.match(open.paths[`${API}${http.path}`][http.method.toLowerCase()], { operationId: name, summary })
    t.match(async.operations[`requests.${name}`], { action: 'receive', summary })
    t.equal(async.channels[`requests.${name}`].address, `users/{user}/requests/${name}`)
    t.ok(async.channels.usersReplies.messages[name], `${name}: its reply`)
    t.ok(commands.$defs[`${name}.params`] && commands.$defs[`${name}.result`], `${name}: its schemas`)
    t.ok(files['docs/reference.md']!.includes(`\n## ${name}\n\n${summary}\n`), `${name}: its section`)
  }
})

t.test('no parameter takes the place of what a request over MQTT has of its own', async (t) => {
  for (const [name, { params }] of table)
    t.notOk('id' in params.properties, `${name}: id says which request is answered`)
})

/** Every `$ref` with where it stands. */
function references(document: Json, at = '#'): [string, string][] {
  if (typeof document !== 'object' || document === null) return []
  const own: [string, string][] = typeof document.$ref === 'string' ? [[at, document.$ref]] : []
  return [...own, ...Object.entries(document).flatMap(([key, value]) => references(value, `${at}/${key}`))]
}

function resolve(document: Json, ref: string): Json {
  return ref
    .slice(2)
    .split('/')
    .reduce((value, key) => value?.[key], document)
}

t.test('references lead somewhere', async (t) => {
  for (const [path, text] of Object.entries(files).filter(([path]) => path.endsWith('.json'))) {
    const document = JSON.parse(text)
    for (const [at, ref] of references(document)) t.ok(resolve(document, ref), `${path}: ${at} → ${ref}`)
  }
  t.ok(references(openApi(version)).length > 20)
})

t.test('OpenAPI: what the specification asks of each part', async (t) => {
  const document: Json = JSON.parse(files['schemas/json/openapi.json']!)
  t.match(document, { openapi: '3.1.0', info: { title: 'TopicTalk', version } })
  const ids = new Set<string>()
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const [method, operation] of Object.entries<Json>(item)) {
      const what = `${method} ${path}`
      t.notOk(ids.has(operation.operationId), `${what}: its operationId is its own`)
      ids.add(operation.operationId)
      t.ok(
        Object.keys(operation.responses).some((code) => /^[23]\d\d$/.test(code)) && operation.responses.default,
        what,
      )
      for (const response of Object.values<Json>(operation.responses))
        t.ok(response.description || response.$ref, `${what}: responses are described`)
      const inPath = (operation.parameters ?? []).filter((one: Json) => one.in === 'path')
      t.same(
        inPath.map((one: Json) => one.name).sort(),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
        what,
      )
      t.ok(
        inPath.every((one: Json) => one.required),
        `${what}: path parameters are required`,
      )
      t.notOk(operation.requestBody && ['get', 'delete'].includes(method), `${what}: a body where it has a meaning`)
      for (const [requirement] of (operation.security ?? document.security).flatMap(Object.entries))
        t.ok(document.components.securitySchemes[requirement], `${what}: ${requirement}`)
      t.ok(
        operation.tags.every((tag: string) => document.tags.some((one: Json) => one.name === tag)),
        `${what}: its tag`,
      )
    }
  }
})

t.test('AsyncAPI: every topic once, in the grammar of topics', async (t) => {
  const { channels, operations }: Json = asyncApi(version)
  const addresses = Object.values<Json>(channels).map(({ address }) => address)
  t.equal(new Set(addresses).size, addresses.length)
  for (const address of addresses) {
    const topic = parseTopic(address.replaceAll(/\{\w+\}/g, 'x'))
    t.not(topic.kind, 'invalid', address)
    t.not(topic.kind, 'plain', address)
  }
  for (const { topic } of TOPIC_DOCUMENTS) t.ok(addresses.includes(topic), topic)
  for (const operation of Object.values<Json>(operations))
    for (const { $ref } of operation.messages) t.ok($ref.startsWith(`${operation.channel.$ref}/messages/`))
})

t.test('examples fit their schemas', async (t) => {
  for (const [name, { params, result }] of table) {
    const faults = (schema: TSchema, value: unknown) => [...Compile(schema).Errors(value)]
    t.same(faults(params, exampleObject(params)), [], `${name}: parameters`)
    t.same(faults(result, exampleOf(result)), [], `${name}: result`)
  }
})

t.test('the schema of config.yaml takes config.yaml, and what leaves out what has a default', async (t) => {
  const schema = Compile(JSON.parse(files['schemas/json/config.json']!))
  t.same([...schema.Errors(parse(readFileSync('config.yaml', 'utf8')))], [])
  t.ok(schema.Check({}))
  t.ok(schema.Check({ listen: { mqtt: 1 }, acl: { rules: [{ allow: 'all', who: 'any', topics: ['#'] }] } }))
  t.notOk(schema.Check({ listen: { mqqt: 1 } }))
  t.notOk(schema.Check({ acl: { rules: [{ allow: 'all' }] } }))
})

t.test('a message as it goes out fits its schema', async (t) => {
  const message = { id: 'x', room: 'lobby', seq: 1, ts: 1, from: 'bob', cid: 'c', type: 'text', text: 'hi' }
  t.ok(Compile(SentMessage).Check(message))
  t.notOk(Compile(SentMessage).Check({ ...message, seq: 0 }))
})

t.test('two schemas of one title are refused', async (t) => {
  const components = new Components('#/x/')
  components.use(Type.String({ title: 'One' }))
  t.same(components.use(Type.String({ title: 'One' })), { $ref: '#/x/One' })
  t.throws(() => components.use(Type.Number({ title: 'One' })), /two schemas are titled One/)
})

t.test('docs/webhooks.md lists every event there is', async (t) => {
  const rows = Object.entries(WEBHOOK_EVENTS).map(([event, when]) => `| \`${event}\` | ${when} |`)
  const [, table] = readFileSync('docs/webhooks.md', 'utf8').split(/<!-- \/?events -->\n/)
  t.strictSame(table!.trim().split('\n').slice(2), rows, 'write the rows of WEBHOOK_EVENTS (schemas/webhooks.ts) there')
})

t.test('what a pattern asks for can be said in words', async (t) => {
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { pattern } = schema as { pattern?: unknown }
    if (typeof pattern === 'string' && !path.includes('patternProperties'))
      t.ok(patternWords(pattern), `${path}: ${pattern}`)
    for (const [key, child] of Object.entries(schema)) visit(child, `${path}.${key}`)
  }
  for (const [name, { params }] of Object.entries(COMMANDS)) visit(params, name)
})

t.test('the OpenAPI document says what a linter looks for', async (t) => {
  const { paths, tags } = openApi(version) as {
    paths: Record<string, Record<string, { responses: object; tags: string[]; summary: string; operationId: string }>>
    tags: { name: string; description?: string }[]
  }
  for (const { name, description } of tags) t.ok(description, `the tag ${name} has a description`)
  const known = new Set(tags.map(({ name }) => name))
  const ids = new Set<string>()
  for (const [path, operations] of Object.entries(paths))
    for (const [method, { responses, tags, summary, operationId }] of Object.entries(operations)) {
      const where = `${method} ${path}`
      t.ok(
        Object.keys(responses).some((status) => status.startsWith('4')),
        `${where} may be refused`,
      )
      t.ok(
        tags.every((tag) => known.has(tag)),
        where,
      )
      t.ok(summary, where)
      t.notOk(ids.has(operationId), operationId)
      ids.add(operationId)
    }
  t.notMatch(JSON.stringify(paths), /"secret":true/, 'no marks of our own in a schema')
})
