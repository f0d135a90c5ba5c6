/** The AsyncAPI 3 document of the topics: what the broker receives on each and what it sends there. */
import Type from 'typebox'
import { COMMANDS, type Command } from '../commands.js'
import { topics } from '../topics.js'
import { Components, type Json } from './components.js'
import { exampleObject } from './examples.js'
import { Reply, TOPIC_DOCUMENTS, type TopicDocument } from './payloads.js'

const DESCRIPTION = `A chat and notification broker that speaks plain MQTT 3.1, 3.1.1 and 5: rooms, people and devices are topics.
\`receive\` is what clients publish, \`send\` what they get. Log in with a user name and a password, or with a JWT as the password.`

const PARAMETERS: Record<string, string> = {
  room: 'A room id, or dm:{a}:{b} for receipts and typing of a direct conversation.',
  user: 'A user id.',
  device: 'The user id of a device.',
  channel: 'A channel of announcements.',
}

const REPLIES = topics.user('{user}', 'replies')

export function asyncApi(version: string): Json {
  const components = new Components('#/components/schemas/')
  const channels: Record<string, Json> = {}
  const operations: Record<string, Json> = {}
  for (const document of TOPIC_DOCUMENTS) addTopic(document, channels, operations, components)
  for (const [name, command] of Object.entries(COMMANDS as Record<string, Command>))
    addCommand(name, command, channels, operations, components)
  return {
    asyncapi: '3.0.0',
    info: { title: 'TopicTalk', version, description: DESCRIPTION, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { schemas: components.all() },
  }
}

/** `rooms/{room}/messages` → `roomsMessages`. */
function channelName(topic: string): string {
  const words = topic.split('/').filter((level) => !level.startsWith('{'))
  return words.join('.').replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function channelOf(topic: string, summary: string, messages: Json): Json {
  const names = [...topic.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  const parameters = Object.fromEntries(names.map((name) => [name, { description: PARAMETERS[name] }]))
  return { address: topic, summary, parameters, messages }
}

function refer(channel: string, message?: string): Json {
  return { $ref: `#/channels/${channel}${message === undefined ? '' : `/messages/${message}`}` }
}

function addTopic(
  { topic, summary, in: input, out }: TopicDocument,
  channels: Record<string, Json>,
  operations: Record<string, Json>,
  components: Components,
): void {
  const channel = channelName(topic)
  const messages: Json = {}
  const add = (name: string, action: 'receive' | 'send', schema: TopicDocument['in']): void => {
    if (!schema) return
    messages[name] = { name: `${channel}.${name}`, payload: components.use(schema) }
    operations[`${channel}.${name}`] = { action, channel: refer(channel), summary, messages: [refer(channel, name)] }
  }
  add('published', 'receive', input)
  add('delivered', 'send', out)
  channels[channel] = channelOf(topic, summary, messages)
}

function addCommand(
  name: string,
  { summary, params, result }: Command,
  channels: Record<string, Json>,
  operations: Record<string, Json>,
  components: Components,
): void {
  const channel = `requests.${name}`
  const replies = channelName(REPLIES)
  const id = Type.Optional(Type.Union([Type.String(), Type.Number()], { description: 'Comes back as re.' }))
  const payload = components.use(Type.Object({ id, ...params.properties }, { additionalProperties: false }))
  const examples = [{ payload: { id: 'r1', ...exampleObject(params) } }]
  channels[channel] = channelOf(topics.request('{user}', name), summary, {
    request: { name, payload, examples },
  })
  const answered = Type.Object({ ...Reply.properties, method: Type.Literal(name), result: Type.Optional(result) })
  const replied = channels[replies] as { messages: Json }
  replied.messages[name] = { name: `${name} answered`, payload: components.use(answered) }
  operations[channel] = {
    action: 'receive',
    channel: refer(channel),
    summary,
    messages: [refer(channel, 'request')],
    reply: { channel: refer(replies), messages: [refer(replies, name)] },
  }
}
