/** Lists full of the largest entries: nobody can make one unreadable for others. */
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'

const REPLY = 16_384
const LONG = 'x'.repeat(500)

async function ok(broker: TestBroker, as: string, method: string, path: string, body?: object) {
  const answer = await fetchFrom(broker, `/v1${path}`, { method, as, ...(body ? { body } : {}) })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return answer.body
}

t.test('lists of the largest entries are read in pages, whole', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off', replyBytes: REPLY } })
  const read = async (path: string, items: string, as = 'bob', roles?: string[]) => {
    const entries: Record<string, unknown>[] = []
    let pages = 0
    for (let next: string | undefined = `/v1${path}`; next !== undefined; pages++) {
      const answer = await fetchFrom(broker, next, { as, ...(roles ? { roles } : {}) })
      if (answer.status !== 200) throw new Error(`${next}: ${answer.status} ${answer.text.slice(0, 200)}`)
      const page = answer.body[items]
      if (page.length > 1) t.ok(answer.text.length <= REPLY + 1, path)
      entries.push(...page)
      next = /^<([^>]+)>/.exec(answer.headers.get('link') ?? '')?.[1]
      t.equal(next !== undefined, answer.body.more)
    }
    t.ok(pages > 1, `${path}: more than one page`)
    return entries
  }
  const numbers = Array.from({ length: 40 }, (_, i) => String(i).padStart(2, '0'))

  await t.test('rooms, also with policies longer than a reply', async (t) => {
    const hosts = Array.from({ length: 100 }, (_, i) => `${i}${'h'.repeat(240)}.example`)
    for (const n of numbers.slice(0, 3))
      await ok(broker, 'ann', 'POST', '/rooms', { room: `0-${n}`, policies: { attachments: { hosts } } })
    const large = { topic: 't'.repeat(1024), avatar: `https://x.example/${'a'.repeat(2000)}` }
    for (const n of numbers) await ok(broker, 'ann', 'POST', '/rooms', { room: `a-${n}`, ...large })
    for (const [as, path] of [
      ['bob', '/rooms?scope=public&limit=1000'],
      ['ann', '/rooms'],
    ] as const) {
      const ids = (await read(path, 'rooms', as)).map(({ id }) => id)
      t.same(
        ids.filter((id) => id !== 'lobby'),
        [...numbers.slice(0, 3).map((n) => `0-${n}`), ...numbers.map((n) => `a-${n}`)],
      )
    }
  })

  await t.test('who asks to join, who is banned and muted, and the acts of it', async (t) => {
    await ok(broker, 'ann', 'POST', '/rooms', { room: 'club', access: 'request' })
    for (const n of numbers) await ok(broker, `q${n}`, 'POST', '/rooms/club/requests', { message: LONG })
    const users = numbers.map((n) => `q${n}`)
    const named = (entries: Record<string, unknown>[]) => entries.map(({ user }) => user)
    t.same(named(await read('/rooms/club/requests?limit=1000', 'requests', 'ann')), users)
    for (const user of users) await ok(broker, 'ann', 'PUT', `/rooms/club/bans/${user}`, { reason: LONG })
    t.same(named(await read('/rooms/club/bans?limit=1000', 'bans', 'ann')), users)
    const acts = await read('/audit?room=club&action=rooms.ban&limit=1000', 'entries', 'root', ['admin'])
    t.same(named(acts).sort(), users)
  })

  await t.test('people, devices and their commands, slash commands', async (t) => {
    for (const n of numbers)
      await ok(broker, `prof${n}`, 'PATCH', '/profile', { avatar: `https://x.example/${'a'.repeat(1000)}` })
    t.equal((await read('/users?prefix=prof&limit=100', 'users')).length, numbers.length)
    await ok(broker, 'bob', 'POST', '/devices', { device: 'lamp' })
    for (const n of numbers.slice(0, 8))
      await ok(broker, 'bob', 'POST', '/devices/lamp/commands', { name: `c${n}`, params: { x: 'p'.repeat(9000) } })
    const names = (await read('/devices/lamp/commands', 'commands')).map(({ name }) => name)
    t.same(
      [...names].sort(),
      numbers.slice(0, 8).map((n) => `c${n}`),
    )
    await ok(broker, 'bob', 'POST', '/rooms/lobby/join', {})
    for (const bot of ['bot1', 'bot2', 'bot3']) {
      const { key } = await ok(broker, 'bob', 'POST', '/bots', { bot })
      const commands = numbers.map((n) => ({ name: `do-${n}`, description: 'd'.repeat(250) }))
      await ok(broker, 'bob', 'PUT', '/slash-commands', { bot, commands })
      const headers = { authorization: `Bearer ${key.key}` }
      const joined = await fetchFrom(broker, '/v1/rooms/lobby/join', { method: 'POST', headers, body: {} })
      t.equal(joined.status, 200)
    }
    const commands = await read('/rooms/lobby/slash-commands', 'commands')
    t.equal(new Set(commands.map(({ name, bot }) => `${name}@${bot}`)).size, 3 * numbers.length)
  })
})
