/** Exports take a bounded number of places, and give them back. */
import { once } from 'node:events'
import { get } from 'node:http'
import { PassThrough } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Exports } from '../../broker/chat/exports/exports.js'
import { Pace } from '../../broker/http/exports.js'
import { openLog } from '../../broker/util/log.js'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

t.test('no more are under way than there are places, however many come at once', async (t) => {
  const { store, accounts } = (await startTestBroker(t)).running
  const exports = new Exports({ store, isValid: async () => true, httpEnabled: true, accountOf: (user) => user })
  const tickets: string[] = []
  for (let i = 0; i < 8; i++) {
    const { id: user } = await accounts.add(`person-${i}`, null)
    const principal = { user, roles: new Set<string>(), anonymous: false, expiresAt: null }
    tickets.push((await exports.createLink({ principal, clientId: '', sessionId: null })).ticket)
  }
  const opened = await Promise.allSettled(tickets.map((ticket) => exports.open(ticket)))
  t.same(
    opened.map(({ status }) => status === 'fulfilled'),
    [true, true, true, true, false, false, false, false],
  )
  for (const one of opened) if (one.status === 'fulfilled') await one.value.return(undefined)
  await t.resolves(exports.open(tickets[7]!), 'a link that found no place is good when there is one')
})

t.test('who asks for a download and is gone before it begins leaves the place', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  for (let i = 0; i < 3; i++) {
    const { url } = await alice.get('account.export')
    const request = get(`${httpUrl(broker)}${url}`)
    request.on('error', () => {})
    await once(request, 'finish')
    request.destroy()
    while ((await alice.ask('account.export')).ok === false);
  }
})

t.test('what the log says of a download would let nobody in', async (t) => {
  let said = ''
  const to = new PassThrough().on('data', (chunk) => (said += chunk))
  const log = openLog({ level: 'debug', format: 'json', output: 'stderr' }, to)
  const broker = await startTestBroker(t, {}, { log })
  const alice = await Person.connect(t, broker, 'alice')
  const { url } = await alice.get('account.export')
  t.equal((await fetchFrom(broker, url)).status, 200)
  while (!said.includes('/v1/exports/')) await nextTurn()
  t.notMatch(said, url.split('/').at(-1))
  t.match(said, '"path":"/v1/exports/:ticket"')
})

t.test('a download is held against what its client takes, not against what the broker finds', async (t) => {
  const patient = new Pace(0)
  for (let i = 0; i < 100; i++) t.ok(patient.goesOn(1000, false))
  t.notOk(new Pace(0).goesOn(1000, true))
  const brisk = new Pace(0)
  for (let i = 1; i < 120; i++) t.ok(brisk.goesOn(i * 600_000, true))
  t.notOk(brisk.goesOn(120 * 600_000, true), 'an hour is enough')
})
