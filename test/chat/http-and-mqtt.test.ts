/** Every command of the table, through both doors: the same answers to the same questions. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { COMMANDS, type Command } from '../../schemas/commands.js'
import { codeOf } from '../helpers/authenticator-app.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { type Ask, COMMAND_CASES, type CommandCases, NO_CASES } from '../helpers/command-cases.js'
import { erased } from '../helpers/erased.js'
import { fetchFrom, requestOf } from '../helpers/http.js'
import { LOGIN_CHALLENGE } from '../helpers/oidc-cases.js'
import { Person } from '../helpers/people.js'
import { checkResult } from '../helpers/results.js'
import { upload } from '../helpers/uploads.js'

/** What either door says: a result, or a code with its field. */
// biome-ignore lint/suspicious/noExplicitAny: a result is any JSON
type Said = { ok: true; result: any } | { ok: false; answer: string }

interface Door {
  ask(name: string, asked: Ask): Promise<Said>
  /** Asks in the name of someone else; what is said of that. */
  pretend(name: string, params: Record<string, unknown>): Promise<string>
}

const table = COMMANDS as Record<string, Command>

t.test('every command of the table has its cases', async (t) => {
  for (const name of Object.keys(table)) t.ok(COMMAND_CASES[name], `${name}: ${NO_CASES}`)
  for (const name of Object.keys(COMMAND_CASES))
    t.ok(table[name], `${name} has cases, but is no command any more: remove them`)
})

t.test('one table of commands, two doors', async (t) => {
  const broker = await startTestBroker(t, {
    rooms: { create: 'admin' },
    limits: { rates: 'off' },
    media: { shared: true },
  })
  const roles = (user: string) => (user === 'alice' ? ['admin'] : [])
  const people: Record<string, Person> = {}
  for (const user of ['alice', 'bob', 'carol', 'dora'])
    people[user] = await Person.connect(t, broker, user, { roles: roles(user) })
  const helper = await people['bob']!.get('bots.create', { bot: 'helper' })
  people['helper'] = await Person.connect(t, broker, 'helper', { password: helper.key.key })
  /** Another login of pat, whose commands end it. */
  const login = async () => {
    const issued = await people['alice']!.get('auth.login', { user: 'pat', password: 'pat-pw' })
    const clientId = `pat-${issued.refreshToken.slice(-8)}`
    people['pat'] = await Person.connect(t, broker, 'pat', { password: issued.token, clientId })
    return { ...issued, clientId }
  }
  await havePat(broker)
  let pat = await login()
  const said = (error: { code: string; field?: string }) => [error.code, error.field].filter(Boolean).join(' ')

  const mqtt: Door = {
    ask: async (name, { as, params }) => {
      const reply = await people[as]!.ask(name, params)
      return reply.ok ? { ok: true, result: reply.result } : { ok: false, answer: said(reply.error) }
    },
    pretend: async (name, params) => {
      const topic = `users/alice/requests/${name}`
      return (await people['carol']!.refused(topic, params)).error.code
    },
  }
  const http: Door = {
    ask: async (name, { as, params }) => {
      const { path, request } = requestOf(name, params)
      const asked = as === 'pat' ? { headers: { authorization: `Bearer ${pat.token}` } } : { as, roles: roles(as) }
      const { status, headers, body } = await fetchFrom(broker, path, { ...request, ...asked })
      if (status >= 300) return { ok: false, answer: said(body) }
      t.equal(status, table[name]!.http!.status ?? 200, `${name}: its status`)
      t.equal(headers.get('content-type'), 'application/json; charset=utf-8')
      return { ok: true, result: body }
    },
    pretend: async (name, params) => {
      const { path, request } = requestOf(name, params)
      const forged = { authorization: `Bearer ${(await broker.token('alice')).slice(0, -4)}AAAA` }
      return (await fetchFrom(broker, path, { ...request, headers: forged })).body.code
    },
  }

  let rooms = 0
  /** A room of its own for each case. */
  const fresh = async (): Promise<string> => {
    const room = `r${++rooms}`
    await people['alice']!.get('rooms.create', { room })
    for (const user of ['bob', 'dora']) await people[user]!.get('rooms.join', { room })
    await people['alice']!.get('rooms.update', { room, user: 'dora', role: 'reader' })
    return room
  }
  const tokens = { bob: await broker.token('bob'), carol: await broker.token('carol') }
  let link = ''
  let notification = ''
  let bridge = ''
  let reset = ''
  /** Of pat's authenticator app. */
  let secret = 'A'
  let report = ''
  let key = ''
  let file = ''
  let content = Buffer.alloc(0)
  const prepare = async (before: CommandCases['before'], room: string): Promise<void> => {
    for (const asked of before ?? []) {
      const [name, { as, params }] = filled(asked, room)
      const result = await people[as]!.get(name, params)
      if (name === 'rooms.links.create') link = result.link
      if (name === 'devices.bridge') bridge = result.bridge
      if (name === 'notify') notification = result.sent[0].id
      if (name === 'auth.reset') reset = result.token
      if (name === 'auth.totp.begin') secret = result.secret
      if (name === 'reports.create') report = result.report
      if (name === 'keys.create') key = result.keyId
    }
  }
  let loginCode = ''
  const filled = <T>(value: T, room: string): T =>
    JSON.parse(
      JSON.stringify(value)
        .replaceAll('{room}', room)
        .replaceAll('{session of pat}', pat.clientId)
        .replaceAll('{refresh token of pat}', pat.refreshToken)
        .replaceAll('{link}', link)
        .replaceAll('{notification}', notification)
        .replaceAll('{bridge}', bridge)
        .replaceAll('{reset token}', reset)
        .replaceAll('{code of pat}', codeOf(secret))
        .replaceAll('{next code of pat}', codeOf(secret, 1))
        .replaceAll('{login code of pat}', loginCode)
        .replaceAll('{report}', report)
        .replaceAll('{key}', key)
        .replaceAll('{file of bob}', file)
        .replaceAll('{hash of the file of bob}', createHash('sha256').update(content).digest('base64url'))
        .replace(/\{token of (\w+)\}/g, (_, user: 'bob' | 'carol') => tokens[user]),
    )

  for (const [name, cases] of Object.entries(COMMAND_CASES)) {
    for (const [at, door] of Object.entries({ mqtt, http })) {
      // What is about the asking connection has no route.
      if (door === http && !table[name]?.http) continue
      t.test(`${name} through ${at}`, async (t) => {
        await callAdmin(broker.dataDir, 'user.totpReset', { name: 'pat' }).catch(() => {})
        await havePat(broker)
        pat = await login()
        loginCode = await broker.running.loginCodes.issue({ user: 'pat' }, LOGIN_CHALLENGE)
        const room = await fresh()
        content = Buffer.from(`a file for ${name} through ${at}`)
        if (JSON.stringify(cases).includes('{file of bob}')) file = await upload(broker, 'bob', content)
        await prepare(cases.before, room)
        const { happy, forbidden, invalid } = filled(cases, room)
        const wrong = await door.ask(name, invalid)
        t.match(wrong, { ok: false, answer: invalid.answer }, 'not valid')
        if (forbidden === 'anyone')
          t.equal(await door.pretend(name, happy.params), at === 'mqtt' ? 'forbidden' : 'unauthorized', 'forbidden')
        else if (forbidden !== 'open')
          t.match(await door.ask(name, forbidden), { ok: false, answer: forbidden.code }, 'forbidden')
        const right = await door.ask(name, happy)
        if (!right.ok) t.fail(right.answer)
        else {
          checkResult(name, right.result)
          t.match(right.result, happy.result, 'happy')
        }
      })
    }
  }
})

/** There is a pat, though a case may have removed the account: the name is free again once all of it is erased. */
async function havePat(broker: TestBroker): Promise<void> {
  const { store, accounts } = broker.running
  await erased(broker, 'pat')
  if (!(await store.directory.user('pat'))) await accounts.add('pat', 'pat-pw')
}
