/** What happens in a room, between its messages in the web app. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('events of a room stand between its messages', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  for (const user of ['alice', 'carol', 'dan', 'erin', 'fred']) await app.register(user)
  const bob = await app.client('bob')
  const join = (user: string) =>
    fetchFrom(app.broker, '/v1/rooms/tea/join', { method: 'POST', as: user, body: {} }).then(({ status }) =>
      t.equal(status, 200),
    )
  await bob.ask.rooms.create({ room: 'tea', name: 'Tea' })
  await bob.send('tea', 'the first').sent
  for (const user of ['carol', 'dan', 'erin', 'fred', 'alice']) await join(user)
  await bob.send('tea', 'the second').sent
  await bob.ask.rooms.update({ room: 'tea', topic: 'Green' })
  await bob.ask.rooms.update({ room: 'tea', topic: 'Black' })
  await bob.ask.rooms.setRole({ room: 'tea', user: 'carol', role: 'moderator' })
  await bob.send('tea', 'the third').sent

  const alice = await app.enter('alice')
  const { page } = alice
  let asked = 0
  await page.routeWebSocket(/mqtt/, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((bytes) => {
      if (Buffer.from(bytes as Buffer).includes('requests/rooms.events')) asked++
      server.send(bytes)
    })
  })
  await page.goto(`${app.url}/r/tea`)
  /** Names are set apart from what stands around them. */
  const shown = async (): Promise<string[]> =>
    (
      (await page.evaluate(
        "[...document.querySelectorAll('.message-text, .room-events p, .room-events summary')].map((one) => one.textContent)",
      )) as string[]
    ).map((text) => text.replace(/[\u2068\u2069]/g, ''))
  const shows = async (...texts: string[]) => {
    await until('the lines are there', async () => (await shown()).join() === texts.join()).catch(() => {})
    t.same(await shown(), texts)
  }
  const reads = async (seq: number) => {
    const receipts = async () =>
      (await fetchFrom(app.broker, '/v1/rooms/tea/receipts', { as: 'alice' })).body.receipts as {
        user: string
        read: number
      }[]
    await until('it is read', async () => (await receipts()).find(({ user }) => user === 'alice')?.read === seq)
  }
  const before = [
    'bob made the room',
    'the first',
    'carol, dan, and 3 others joined',
    'the second',
    'bob changed what the room is about',
    'bob gave carol the role of a moderator',
    'the third',
  ]

  await t.test('in their place by time, several of one kind as one, which can be opened', async (t) => {
    await shows(...before)
    t.same(await findingsOf(alice), [])
    await page.getByText('3 others joined').click()
    const members = page.locator('.room-events li')
    await until('each is named', async () => (await members.count()) === 5)
    t.match(await members.last().textContent(), /alice.* joined/)
    t.same(await findingsOf(alice), [], 'opened')
    t.equal(asked, 1)
  })

  await t.test('live, and neither counted nor in the way of what is read', async (t) => {
    await until('what was there is read', async () => (await page.title()) === 'Tea · TopicTalk')
    await bob.ask.rooms.remove({ room: 'tea', user: 'dan' })
    await shows(...before, 'bob removed dan')
    t.equal(await page.title(), 'Tea · TopicTalk')
    t.equal(await page.getByRole('link', { name: /^Tea/ }).getByText('unread').count(), 0)
    const fourth = await bob.send('tea', 'the fourth').sent
    await fetchFrom(app.broker, '/v1/rooms/tea/leave', { method: 'POST', as: 'erin', body: {} })
    await shows(...before, 'bob removed dan', 'the fourth', 'erin left')
    await reads(fourth.seq)
    t.equal(asked, 1, 'nothing was asked for')
  })

  await t.test('of a time without a connection, too; many different ones are folded', async () => {
    await page.goto('about:blank')
    await join('dan')
    await fetchFrom(app.broker, '/v1/rooms/tea/leave', { method: 'POST', as: 'dan', body: {} })
    await bob.ask.rooms.update({ room: 'tea', name: 'Tea room' })
    await page.goto(`${app.url}/r/tea`)
    await shows(...before, 'bob removed dan', 'the fourth', '4 events')
  })

  await t.test('they move nothing that is read', async (t) => {
    let last = 0
    for (let n = 0; n < 60; n++) last = (await bob.send('tea', `number ${n}`).sent).seq
    await alice.sees('number 59')
    // Else a room that is loaded anew begins at the first message that was not.
    await reads(last)
    await page.evaluate("document.querySelector('.timeline').scrollBy({ top: -900, behavior: 'instant' })")
    const place = () =>
      page.evaluate(`{
        const message = [...document.querySelectorAll('.message')].find((one) => one.textContent.includes('number 30'))
        message.getBoundingClientRect().top
      }`)
    const there = await place()
    await join('dan')
    await page.getByText('dan').last().waitFor({ state: 'attached' })
    await until('it is there', async () => (await shown()).at(-1) === 'dan joined')
    t.equal(await place(), there)
  })

  await t.test('who does not want them does not have them in this browser', async (t) => {
    await page.goto(`${app.url}/settings/appearance`)
    t.same(await findingsOf(alice), [])
    await page.getByLabel('Show what happens in rooms').uncheck()
    asked = 0
    await page.goto(`${app.url}/r/tea`)
    await alice.sees('number 59')
    await page.getByRole('button', { name: 'Menu of Tea room' }).last().click()
    await page.getByRole('menu').waitFor()
    t.equal(await page.locator('.room-events').count(), 0)
    t.equal(asked, 0, 'nor are they asked for')
  })

  t.same(app.troubles, [])
})
