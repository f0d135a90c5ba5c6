/** Every kind of secret at every door, in every spelling: each opens its own door alone, and nothing it is taken for changes it. */
import { createHash } from 'node:crypto'
import mqtt from 'mqtt'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

const VERIFIER = 'a verifier of at least forty-three characters'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
const USER = 'alice'

type Kind = 'access' | 'minted' | 'key' | 'refresh' | 'invite' | 'reset' | 'ticket' | 'code'

interface Door {
  readonly opensTo: readonly Kind[]
  /** Whether a text is let in as what is asked for here. */
  readonly open: (broker: TestBroker, text: string) => Promise<boolean>
}

const LOGS_IN: readonly Kind[] = ['access', 'minted', 'key']

const post = async (broker: TestBroker, path: string, body: object) =>
  (await fetchFrom(broker, `/v1/auth/${path}`, { method: 'POST', body })).status < 300
const basic = (text: string) => `Basic ${Buffer.from(`${USER}:${text}`).toString('base64')}`
const withHeader = async (broker: TestBroker, authorization: string) =>
  (await fetchFrom(broker, '/v1/rooms', { headers: { authorization } })).status === 200

let names = 0

const DOORS: Readonly<Record<string, Door>> = {
  'MQTT password': { opensTo: LOGS_IN, open: async (broker, text) => (await knock(broker, USER, text)) === 0 },
  'MQTT password without a name': {
    opensTo: LOGS_IN,
    open: async (broker, text) => (await knock(broker, '', text)) === 0,
  },
  AUTH: { opensTo: LOGS_IN, open: byMethod },
  Bearer: { opensTo: LOGS_IN, open: (broker, text) => withHeader(broker, `Bearer ${text}`) },
  Basic: { opensTo: LOGS_IN, open: (broker, text) => withHeader(broker, basic(text)) },
  access_token: { opensTo: LOGS_IN, open: byQuery },
  'auth.refresh': { opensTo: LOGS_IN, open: byRenewal },
  'auth.login': { opensTo: [], open: (broker, password) => post(broker, 'login', { user: USER, password }) },
  'auth.token': { opensTo: ['refresh'], open: (broker, refreshToken) => post(broker, 'token', { refreshToken }) },
  'auth.register': {
    opensTo: ['invite'],
    open: (broker, invite) => post(broker, 'register', { user: `guest-${++names}`, password: 'guest-pw', invite }),
  },
  'auth.resetPassword': {
    opensTo: ['reset'],
    open: (broker, token) => post(broker, 'reset-password', { token, password: 'alice-pw' }),
  },
  'auth.oidc': { opensTo: ['code'], open: (broker, code) => post(broker, 'oidc', { code, verifier: VERIFIER }) },
  exports: {
    opensTo: ['ticket'],
    open: async (broker, text) => (await fetchFrom(broker, `/v1/exports/${encodeURIComponent(text)}`)).status === 200,
  },
}

async function byMethod(broker: TestBroker, text: string): Promise<boolean> {
  const properties = { authenticationMethod: 'JWT', authenticationData: Buffer.from(text) }
  const client = mqtt.connect(broker.mqttUrl, { reconnectPeriod: 0, protocolVersion: 5, properties })
  const opened = await new Promise<boolean>((resolve) => {
    client.once('connect', () => resolve(true))
    client.once('error', () => resolve(false))
    client.once('close', () => resolve(false))
  })
  client.end(true)
  return opened
}

async function byQuery(broker: TestBroker, text: string): Promise<boolean> {
  const { url } = broker.running.listeners.find(({ name }) => name === 'http')!
  const ending = new AbortController()
  const { signal } = ending
  const { status } = await fetch(`${url}/v1/events?access_token=${encodeURIComponent(text)}`, { signal })
  ending.abort()
  return status === 200
}

let live: Person

async function byRenewal(_: TestBroker, token: string): Promise<boolean> {
  return (await live.ask('auth.refresh', { token })).ok
}

/** As something else, as what it is in other letters, and as what it nearly is. */
function spellings(text: string): string[] {
  const rest = text.replace(/^tt[a-z]\./, '')
  const [first = '', ...others] = rest.split('.')
  const prefixed = ['ttr', 'ttk', 'tti', 'ttp', 'TTK', 'Ttr', ''].map((prefix) => `${prefix}.${rest}`)
  const bent = [` ${text}`, `${text}.`, `${text}=`, `${text}.${first}`, rest, [`${first}=`, ...others].join('.')]
  const guessed = ['ttr', 'ttk', 'tti', 'ttp'].map((prefix) =>
    [prefix, first, others[0] ?? first, 'anything'].join('.'),
  )
  const all = [...prefixed, ...bent, ...guessed].filter((one) => one !== text)
  // HTTP drops what is around the value of a header.
  return [...new Set(all)].filter((one) => one.trim() !== text)
}

async function open(t: Test) {
  const throttle = { attempts: 1e6, addressAttempts: 1e6, registrations: 1e6 }
  const broker = await startTestBroker(t, {
    auth: { registration: 'invite', throttle, maxConcurrentHashes: 4 },
    limits: { rates: 'off' },
  })
  await broker.running.accounts.add(USER, 'alice-pw', ['admin'])
  live = await Person.connect(t, broker, USER)
  const login = await live.get('auth.login', { user: USER, password: 'alice-pw' })
  const secrets: Record<Kind, () => Promise<string>> = {
    access: async () => login.token,
    minted: () => broker.token(USER),
    key: async () => (await live.get('keys.create', { name: 'k', expiresIn: 3600 })).key,
    refresh: async () => (await live.get('auth.login', { user: USER, password: 'alice-pw' })).refreshToken,
    invite: async () => (await live.get('auth.invite', { uses: 1 })).invite,
    reset: async () => (await live.get('auth.reset', { user: USER })).token,
    ticket: async () => (await live.get('account.export')).url.split('/').pop(),
    code: async () => broker.running.loginCodes.issue({ user: USER }, CHALLENGE),
  }
  return { broker, secrets }
}

for (const kind of ['access', 'minted', 'key', 'refresh', 'invite', 'reset', 'ticket', 'code'] as const) {
  t.test(`a secret of the kind ${kind} opens its own doors alone, as it was written`, async (t) => {
    const { broker, secrets } = await open(t)
    const text = await secrets[kind]()
    const others = Object.entries(DOORS).filter(([, { opensTo }]) => !opensTo.includes(kind))
    for (const [name, door] of others) t.notOk(await door.open(broker, text), name)
    for (const spelling of spellings(text))
      for (const [name, door] of Object.entries(DOORS))
        t.notOk(await door.open(broker, spelling), `${name}: ${spelling}`)
    const own = Object.entries(DOORS).filter(([, { opensTo }]) => opensTo.includes(kind))
    for (const [name, door] of own) {
      // A code is gone once it was shown, whatever came with it.
      const shown = kind === 'code' ? await secrets.code() : text
      t.ok(await door.open(broker, shown), `${name}, whatever it was taken for before`)
    }
  })
}

t.test('who knows the id of a key or a login, and no secret of it, ends neither', async (t) => {
  const { broker, secrets } = await open(t)
  const key = await secrets.key()
  const refreshToken = await secrets.refresh()
  for (const text of [key, refreshToken])
    for (const prefix of ['ttr', 'ttk'])
      for (const last of ['anything', text.split('.')[3]!.slice(1)]) {
        const [, user, id] = text.split('.')
        await post(broker, 'token', { refreshToken: [prefix, user, id, last].join('.') })
      }
  t.equal(await knock(broker, USER, key), 0)
  t.ok(await post(broker, 'token', { refreshToken }))
})
