import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import Value from 'typebox/value'
import { parse } from 'yaml'
import { leaves, root, type SchemaNode } from '../../broker/config/check.js'
import { type Config, ConfigError, completeConfig, envNames, loadConfig } from '../../broker/config/config.js'

interface Given {
  yaml?: string
  env?: Record<string, string>
  set?: string[]
}

function load(t: Test, { yaml, env = {}, set = [] }: Given): Config {
  return loadConfig({ env, set, cwd: t.testdir(yaml === undefined ? {} : { 'config.yaml': yaml }) })
}

function faultsOf(t: Test, given: Given): readonly string[] {
  try {
    load(t, given)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  t.fail('no fault was found')
  return []
}

t.test('config.yaml shows every key of the schema with its default', async (t) => {
  t.strictSame(
    parse(readFileSync('config.yaml', 'utf8')),
    Value.Default(root, {}),
    'write each key of schemas/config.ts into config.yaml, with its default and a comment',
  )
})

t.test('every key and section has a default and a description', async (t) => {
  const visit = (schema: SchemaNode, path: string): void => {
    t.ok(schema.description, `${path} has a description`)
    t.ok(schema.default !== undefined, `${path} has a default`)
    for (const [key, child] of Object.entries(schema.properties ?? {})) visit(child, `${path}.${key}`)
  }
  visit(root, 'config')
})

t.test('without a file the defaults hold, durations in seconds, paths absolute', async (t) => {
  const config = load(t, {})
  t.equal(config.limits.sessionExpiry, 30 * 86400)
  t.equal(config.presence.offlineDelay, 10)
  t.equal(config.listen.mqtt, 1883)
  t.equal(config.node.dataDir, join(t.testdirName, 'data'))
  t.strictSame(config.rooms.list, [{ id: 'lobby', access: 'public' }])
})

t.test('a file that is named must exist', async (t) => {
  t.throws(() => loadConfig({ file: 'other.yaml', env: {}, set: [], cwd: t.testdir({}) }), {
    name: 'ConfigError',
    message: 'other.yaml: cannot be read: there is no such file',
  })
})

t.test('a section without keys means its defaults', async (t) => {
  t.equal(load(t, { yaml: 'listen:\n  # mqtt: 1\nauth:\n  jwt:\n' }).listen.mqtt, 1883)
})

t.test('the command line wins over the environment, and that over the file', async (t) => {
  const yaml = 'listen: { mqtt: 1, http: 1, mqtts: null }'
  const env = { TOPICTALK_LISTEN_MQTT: '2', TOPICTALK_LISTEN_HTTP: '2' }
  const { listen } = load(t, { yaml, env, set: ['listen.mqtt=3'] })
  t.strictSame([listen.mqtt, listen.http], [3, 2])
})

t.test('an unknown key is fatal, with its line and the nearest known key', async (t) => {
  const yaml = 'listen:\n  mqqt: 1\n  tls: { crt: x }\nsync: true\nfrobnicate: 1'
  const faults = faultsOf(t, { yaml })
  t.strictSame(faults.slice(0, 3), [
    'config.yaml:2: listen.mqqt: unknown key; did you mean listen.mqtt?',
    'config.yaml:3: listen.tls.crt: unknown key; did you mean listen.tls.cert?',
    'config.yaml:4: sync: unknown key; did you mean store.level.sync?',
  ])
  t.match(faults[3], /^config\.yaml:5: frobnicate: unknown key; known here: node, server, web, listen, /)
})

t.test('names of object internals are unknown keys like any other', async (t) => {
  const faults = faultsOf(t, { yaml: '__proto__: { listen: 1 }\nconstructor: 1\nlisten: { toString: 1 }' })
  t.equal(faults.length, 3)
  for (const fault of faults) t.match(fault, /unknown key/)
})

t.test('faults name path, what was expected and what was found, all at once, in the order of the file', async (t) => {
  const yaml = `
listen: { mqtt: abc, http: 65536, wsPath: mqtt }
auth: { onRefused: later, anonymous: 1 }
presence: { offlineDelay: 3 weeks, restartGrace: -1 }
limits: { inflight: 1.5 }
acl: { rules: [{ allow: all, who: any, topics: [] }, { who: 3 }] }
history: 7`
  t.strictSame(faultsOf(t, { yaml }), [
    'config.yaml:2: listen.mqtt: expected an integer from 0 to 65535 or null, got "abc"',
    'config.yaml:2: listen.http: expected an integer from 0 to 65535 or null, got 65536',
    'config.yaml:2: listen.wsPath: expected text matching ^/, got "mqtt"',
    'config.yaml:3: auth.anonymous: expected true or false, got 1',
    'config.yaml:3: auth.onRefused: expected one of ack, close, got "later"',
    'config.yaml:4: presence.offlineDelay: expected seconds, or a duration such as 30s, 5m, 12h or 30d, got "3 weeks"',
    'config.yaml:4: presence.restartGrace: expected seconds, or a duration such as 30s, 5m, 12h or 30d, got -1',
    'config.yaml:5: limits.inflight: expected an integer from 1 to 65535, got 1.5',
    'config.yaml:6: acl.rules[0].topics: expected a list that is not empty, got an empty list',
    'config.yaml:6: acl.rules[1].who: expected text that is not empty, got 3',
    'config.yaml:6: acl.rules[1].topics: expected a list that is not empty, got nothing',
    'config.yaml:7: history: expected a section, got 7',
  ])
})

t.test('what is not YAML is refused with its line', async (t) => {
  t.match(faultsOf(t, { yaml: 'listen:\n  mqtt: [1' })[0], /^config\.yaml:2: /)
  t.strictSame(faultsOf(t, { yaml: 'log: {}\nlog: {}' }), ['config.yaml:2: Map keys must be unique'])
  t.strictSame(faultsOf(t, { yaml: '- 1' }), ['config.yaml:1: configuration: expected a section, got a list'])
})

t.test('keys that contradict each other are named', async (t) => {
  const yaml =
    'listen: { mqtts: 8883, tls: { cert: a.pem } }\nlimits: { packetBytes: 2000 }\n' +
    'rooms:\n  list:\n    - id: lobby\n    - id: lobby\n    - id: "a b"'
  t.strictSame(faultsOf(t, { yaml }), [
    'config.yaml:1: listen.mqtts: needs listen.tls.cert and listen.tls.key',
    'config.yaml:2: limits.packetBytes: is smaller than limits.payloadBytes',
    'config.yaml:6: rooms.list[1].id: the room lobby is listed twice',
    'config.yaml:7: rooms.list[2].id: "a b" is not a room id',
  ])
})

t.test('Redis needs an address and a secret that all nodes share', async (t) => {
  t.strictSame(faultsOf(t, { set: ['store.driver=redis'] }), [
    'store.redis.url: is needed with store.driver redis',
    'auth.jwt.secret: is needed with store.driver redis, the same on all nodes',
  ])
  const set = ['store.driver=redis', 'auth.jwt.secret=one that all nodes have']
  const env = (url: string) => ({ TOPICTALK_STORE_REDIS_URL: url })
  const url = 'redis://:hunter2@10.0.0.1'
  t.equal(load(t, { set, env: env(url) }).store.redis.url, url)
  t.match(
    faultsOf(t, { set, env: env('http://:hunter2@x') }).join(),
    /^TOPICTALK_STORE_REDIS_URL: store\.redis\.url: the address/,
  )
  t.notMatch(faultsOf(t, { set, env: env('http://:hunter2@x') }).join(), 'hunter2')
  t.notMatch(faultsOf(t, { yaml: 'store: { redis: { url: ["redis://:hunter2@x"] } }' }).join(), 'hunter2')
  const { tls } = load(t, { set: [...set, 'store.redis.tls.ca=ca.pem'], env: env('rediss://10.0.0.1') }).store.redis
  t.equal(tls.ca, join(t.testdirName, 'ca.pem'))
  t.match(faultsOf(t, { set: [...set, 'store.redis.tls.ca=ca.pem', 'store.redis.timeout=0'], env: env(url) }), [
    /store\.redis\.tls: needs an address with TLS/,
    /store\.redis\.timeout: expected more than 0/,
  ])
})

t.test('webhooks are told apart, and lead somewhere, with events there are', async (t) => {
  const secret = `whsec_${'A'.repeat(44)}`
  const hook = `{ id: a, url: "https://a.example", secret: ${secret}, events: ["*"] }`
  t.match(load(t, { yaml: `webhooks: [${hook}]` }).webhooks, [{ id: 'a', direct: false }])
  const yaml = `webhooks:\n  - ${hook}\n  - { id: a, url: "http://", secret: ${secret}, events: ["message.send"] }`
  t.strictSame(faultsOf(t, { yaml }), [
    'config.yaml:3: webhooks[1].id: the webhook a is listed twice',
    'config.yaml:3: webhooks[1].url: is not a URL',
    'config.yaml:3: webhooks[1].events: there is no event message.send',
  ])
  t.match(faultsOf(t, { set: ['moderation.webhook.url=https://a.example'] }), [/needs moderation\.webhook\.secret/])
  const short = faultsOf(t, { yaml: 'moderation: { webhook: { secret: hunter2 } }' }).join()
  t.match(short, /moderation\.webhook\.secret: expected/)
  t.notMatch(short, 'hunter2')
})

t.test('durations that null switches off have bounds of their own', async (t) => {
  const { listen, limits } = load(t, { set: ['listen.wsPing=null', 'limits.keepAlive=5m'] })
  t.same([listen.wsPing, limits.keepAlive], [null, 300])
  t.equal(load(t, { env: { TOPICTALK_LISTEN_WS_PING: 'null' } }).listen.wsPing, null)
  for (const given of ['0', '0.5s', '90s30', '1d'])
    t.match(faultsOf(t, { set: [`limits.keepAlive=${given}`] }), [/limits\.keepAlive: expected/], given)
  for (const given of ['0', '2d', 'off'])
    t.match(faultsOf(t, { set: [`listen.wsPing=${given}`] }), [/listen\.wsPing: expected/], given)
})

t.test('durations take a number of seconds or a unit', async (t) => {
  for (const [given, seconds] of [
    ['15', 15],
    ['0.5', 0.5],
    ['15s', 15],
    ['"15"', 15],
    ['1.5m', 90],
    ['2h', 7200],
    ['30d', 2592000],
  ] as const)
    t.equal(load(t, { set: [`limits.sessionExpiry=${given}`] }).limits.sessionExpiry, seconds, given)
})

t.test('the longest packet follows the longest payload unless it is set', async (t) => {
  t.equal(load(t, { set: ['limits.payloadBytes=1000000'] }).limits.packetBytes, 1_131_072)
  t.equal(load(t, { set: ['limits.packetBytes=70000'] }).limits.packetBytes, 70_000)
})

t.test('rooms that are listed are public unless said otherwise', async (t) => {
  const { list } = load(t, { yaml: 'rooms: { list: [{ id: a }, { id: b, access: private, name: B }] }' }).rooms
  t.strictSame(list, [
    { id: 'a', access: 'public' },
    { id: 'b', access: 'private', name: 'B' },
  ])
})

t.test('variables are filled in, in any style, with the type the key wants', async (t) => {
  const yaml = `
listen: { mqtt: \${PORT}, http: "\${PORT}", host: \${HOST}.example.com }
node:
  id: n\${PORT}
auth: { jwt: { secret: \${SECRET}, issuer: '$\${LITERAL}' } } # \${COMMENT}
`
  const config = load(t, { yaml, env: { PORT: '99', HOST: 'h', SECRET: '12345 # : {' } })
  t.match(config.listen, { mqtt: 99, http: 99, host: 'h.example.com' })
  t.equal(config.node.id, 'n99')
  t.equal(config.auth.jwt.secret, '12345 # : {')
  t.equal(config.auth.jwt.issuer, `\${LITERAL}`)
})

t.test('a variable that is not set is named, with its key', async (t) => {
  t.strictSame(faultsOf(t, { yaml: `listen:\n  mqtt: \${PORT}\n  host: \${HOST}` }), [
    'config.yaml:2: listen.mqtt: the environment variable PORT is not set',
    'config.yaml:3: listen.host: the environment variable HOST is not set',
  ])
})

t.test('every key has its environment variable, and no two share one', async (t) => {
  const seen = new Map<string, string>()
  for (const { path } of leaves())
    for (const name of new Set(envNames(path))) {
      t.notOk(seen.has(name), name)
      seen.set(name, path.join('.'))
    }
  t.equal(seen.get('TOPICTALK_STORE_LEVEL_SYNC'), 'store.level.sync')
  t.equal(seen.get('TOPICTALK_LIMITS_PAYLOAD_BYTES'), 'limits.payloadBytes')
  t.equal(seen.get('TOPICTALK_LIMITS_PAYLOADBYTES'), 'limits.payloadBytes')
})

t.test('environment and command line values get the type of their key', async (t) => {
  const env = {
    TOPICTALK_STORE_LEVEL_SYNC: 'false',
    TOPICTALK_LISTEN_HTTP: 'null',
    TOPICTALK_AUTH_JWT_SECRET: '000123',
    TOPICTALK_LISTEN_ORIGINS: '[https://a.example, https://b.example]',
    TOPICTALK_LISTEN_MQTT: '',
  }
  const config = load(t, { env, set: ['auth.jwt.issuer=null', 'auth.jwt.audience="null"', 'node.id=a=b'] })
  t.equal(config.store.level.sync, false)
  t.equal(config.listen.http, null)
  t.equal(config.listen.mqtt, 1883, 'an empty variable is not set')
  t.equal(config.auth.jwt.secret, '000123')
  t.strictSame(config.listen.origins, ['https://a.example', 'https://b.example'])
  t.match(config.auth.jwt, { issuer: null, audience: 'null' })
  t.equal(config.node.id, 'a=b')
})

t.test('overrides that are wrong are named', async (t) => {
  t.strictSame(faultsOf(t, { env: { TOPICTALK_LISTEN_MQT: '1' } }), [
    'TOPICTALK_LISTEN_MQT: no such setting; did you mean TOPICTALK_LISTEN_MQTT?',
  ])
  t.strictSame(faultsOf(t, { set: ['listen.mqt=1', 'listen'] }), [
    '--set listen.mqt: no such setting; did you mean listen.mqtt?',
    '--set: expected key=value',
  ])
  t.strictSame(faultsOf(t, { env: { TOPICTALK_ROOMS_LIST: '[{ id: 3 }]' }, set: ['listen.mqtt=x'] }), [
    '--set: listen.mqtt: expected an integer from 0 to 65535 or null, got "x"',
    'TOPICTALK_ROOMS_LIST: rooms.list[0].id: expected text that is not empty, got 3',
  ])
})

t.test('a variable that the file interpolates need not be a setting', async (t) => {
  const given = { yaml: `node: { id: \${TOPICTALK_POD} }`, env: { TOPICTALK_POD: 'pod-1' } }
  t.equal(load(t, given).node.id, 'pod-1')
})

t.test('secrets are not shown', async (t) => {
  const secret = 'hunter2-hunter2'
  const leaky: Given[] = [
    { yaml: `auth: { jwt: { secret: { ${secret}: 1 } } }` },
    { yaml: `auth: { jwt: { secret: ${secret}` },
    { yaml: `auth: { jwt: { secret: "${secret}" "${secret}" } }` },
    { yaml: `auth: { jwt: { secret: *${secret} } }` },
    { yaml: `auth: { jwt: { secret: !${secret} x } }` },
    { yaml: `auth: { jwt: { secret: ]${secret} } }` },
    { yaml: `auth:\n  jwt:\n    secret: |${secret}\n` },
    { yaml: `listen: { mqtt: \${PORT} }`, env: { PORT: secret } },
    { set: [`auth.jwt.secret:${secret}`] },
    { env: { TOPICTALK_AUTH_JWT_SECRE: secret } },
  ]
  for (const given of leaky) t.notMatch(faultsOf(t, given).join('\n'), secret)
})

t.test('a partial configuration can be completed without files', async (t) => {
  t.equal(completeConfig({ listen: { mqtt: 0 } }).listen.mqtt, 0)
  t.throws(() => completeConfig({ listen: { mqtt: -1 } }), { message: /^listen\.mqtt: expected an integer/ })
})

t.test('a key that is gone has no effect, and says so', (t) => {
  const warnings: string[] = []
  const warn = (text: string) => void warnings.push(text)
  const cwd = t.testdir({ 'config.yaml': 'limits:\n  inflight: 7\n  filtersPerSubscribe: 256' })
  const env = { TOPICTALK_LIMITS_FILTERS_PER_SUBSCRIBE: '5' }
  t.equal(loadConfig({ env: {}, set: [], cwd, warn }).limits.inflight, 7)
  t.notOk(
    'filtersPerSubscribe' in
      loadConfig({ env, set: ['limits.filtersPerSubscribe=9'], cwd: t.testdir({}), warn }).limits,
  )
  t.match(warnings, [
    /^config.yaml:3: limits.filtersPerSubscribe has no effect any more: .*limits.subscriptions/,
    /^--set: limits/,
  ])
  t.end()
})
