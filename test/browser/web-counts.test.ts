/** What the web app does for one message and one step, counted: times belong into the benchmark (`npm run bench:web`). */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { WebApp } from '../helpers/web-page.js'

/**
 * Begins to count the rows that are added to the timeline, and those of before that change; rows of messages and rooms that are rendered, each of
 * which writes one time for machines; and what is measured of elements.
 */
const WATCH = `{
  const rows = document.querySelector('.timeline-rows')
  window.counted = { added: 0, changed: new Set(), rendered: 0, measured: 0 }
  const { toISOString } = Date.prototype
  Date.prototype.toISOString = function () { counted.rendered++; return toISOString.call(this) }
  const { getBoundingClientRect } = Element.prototype
  Element.prototype.getBoundingClientRect = function () { counted.measured++; return getBoundingClientRect.call(this) }
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      for (const node of addedNodes) if (node.classList?.contains('message')) counted.added++
      const row = (target.nodeType === 1 ? target : target.parentElement)?.closest('.message')
      if (row) counted.changed.add(row)
    }
  }).observe(rows, { childList: true, subtree: true, attributes: true, characterData: true })
}`

/**
 * What the next click leads to before anything else happens in the page: the rows of messages that are there, whether they fill the list, and how often the
 * messages of the device were read.
 */
const STEP = `void (window.stepped = new Promise((resolve) => {
  let reads = 0
  const { transaction } = IDBDatabase.prototype
  IDBDatabase.prototype.transaction = function (tables, ...more) {
    if ([tables].flat().includes('messages')) reads++
    return transaction.call(this, tables, ...more)
  }
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    IDBDatabase.prototype.transaction = transaction
    const rows = [...document.querySelectorAll('.message')]
    const [first, last] = [rows[0], rows.at(-1)].map((row) => row.getBoundingClientRect())
    const height = document.querySelector('.timeline').clientHeight
    resolve({ rows: rows.length, last: rows.at(-1).innerText, isFull: last.bottom - first.top >= height, reads })
  }
  addEventListener('click', () => port2.postMessage(null), { capture: true, once: true })
}))`

interface Step {
  readonly rows: number
  readonly last: string
  readonly isFull: boolean
  readonly reads: number
}

/** Whether the end is shown, in a frame that was painted. */
const IS_AT_END = `new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
  const { scrollTop, scrollHeight, clientHeight } = document.querySelector('.timeline')
  done(scrollHeight - clientHeight - scrollTop < 2)
})))`

t.test('what is done for one message, and for one step to another room', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  for (const room of ['tea', 'garden']) {
    await bob.ask.rooms.create({ room })
    for (let n = 1; n <= 150; n++) await bob.ask.send({ room, text: `${room} ${n}` })
  }
  const alice = await app.enter('alice', '/r/tea')
  for (let n = 1; n <= 20; n++)
    await fetchFrom(app.broker, '/v1/rooms', { method: 'POST', as: 'alice', body: { room: `quiet-${n}` } })
  const { page } = alice
  await page.getByRole('button', { name: 'Join' }).click()
  await alice.sees('tea 150')

  await t.test('a message that comes is one more row, and changes one of those that were there at most', async (t) => {
    // A screen of them comes first.
    await until('the others are there', async () => (await page.locator('.message').count()) >= 60)
    await page.evaluate(WATCH)
    for (let n = 1; n <= 10; n++) await bob.send('tea', `live ${n}`).sent
    await alice.sees('live 10')
    const { added, changed, rendered } = (await page.evaluate(
      '({ ...counted, changed: counted.changed.size })',
    )) as Record<string, number>
    t.equal(added, 10)
    // Of messages that one, and the one before it; of rooms the one that has it, and once more when that is read.
    t.ok(rendered! > 0 && rendered! <= 60, `${rendered} rows were rendered`)
    // Where the list is entered by keyboard, and which message ends those of one author, moves on with each message.
    t.ok(changed! <= 20, `${changed} rows have changed`)
  })

  await t.test('a room that is kept is shown without asking for its messages', async (t) => {
    await page.goto(`${app.url}/r/garden`)
    await page.getByRole('button', { name: 'Join' }).click()
    await alice.sees('garden 150')
    const asked: string[] = []
    page.on('request', (request) => asked.push(`http ${request.url()}`))
    // Before the page can send anything: what it asks for first counts, too.
    page.once('websocket', (socket) =>
      socket.on('framesent', ({ payload }) => {
        // The text between the topics of two requests has what the first one asks for.
        const [, ...requests] = payload.toString('latin1').split('requests/')
        asked.push(...requests.map((one) => (one.includes('"pinned":true') ? 'pins' : /^[\w.]+/.exec(one)![0])))
      }),
    )
    await page.reload()
    await alice.sees('garden 150')
    await page.getByRole('link', { name: /^tea/ }).click()
    await alice.sees('live 10')
    for (const one of ['pins', 'rooms.events'])
      await until('what is shown besides is asked for', async () => asked.filter((name) => name === one).length >= 2)
    asked.length = 0
    await page.getByRole('link', { name: /^garden/ }).click()
    await alice.sees('garden 150')
    await page.getByRole('link', { name: /^tea/ }).click()
    await alice.sees('live 10')
    t.same(
      // What was looked at for long enough is read, and the icon of the tab says whether something is not.
      asked.filter((one) => !/^(pins|read|unread)$|\/icon-/.test(one)),
      [],
    )
  })

  await t.test(
    'a room that was shown lately is there at once, a screen of it first, and nothing is read for it',
    async (t) => {
      // Above what is new there is a screen, too.
      for (const room of ['garden', 'tea']) {
        await page.getByRole('link', { name: new RegExp(`^${room}`) }).click()
        const unread = page.locator('.room-row.unread', { hasText: room })
        await until('all of it is read', async () => (await unread.count()) === 0)
      }
      const whole = await page.locator('.message').count()
      for (const [room, last] of [
        ['garden', 'garden 150'],
        ['tea', 'live 10'],
      ] as const) {
        await page.evaluate(STEP)
        await page.getByRole('link', { name: new RegExp(`^${room}`) }).click()
        const step = (await page.evaluate('stepped')) as Step
        t.match(step.last, last)
        t.ok(step.isFull, 'they fill the screen')
        // Of 720 pixels.
        t.ok(step.rows <= 16, `${step.rows} rows`)
        t.equal(step.reads, 0)
        await until('the others are there', async () => (await page.locator('.message').count()) >= Math.min(whole, 60))
        // Rows that have come since the frame have their place with the next one.
        await until('the end is where it was', () => page.evaluate(IS_AT_END) as Promise<boolean>)
      }
    },
  )

  await t.test('what was said meanwhile in such a room is there, below the line of what is new', async (t) => {
    for (const n of [1, 2, 3]) await bob.send('garden', `meanwhile ${n}`).sent
    await page.locator('.room-row.unread', { hasText: 'meanwhile 3' }).waitFor()
    await page.evaluate(STEP)
    await page.getByRole('link', { name: /^garden/ }).click()
    t.match(((await page.evaluate('stepped')) as Step).last, 'meanwhile 3')
    const below = page.locator('.new-since ~ .message .message-text')
    await until('they are below it', async () => (await below.count()) === 3)
    t.same(await below.allInnerTexts(), ['meanwhile 1', 'meanwhile 2', 'meanwhile 3'])
    await page.getByRole('link', { name: /^tea/ }).click()
    await alice.sees('live 10')
  })

  await t.test('rows of a long room are bounded, however far one goes back', async (t) => {
    for (let n = 151; n <= 700; n++) await bob.ask.send({ room: 'tea', text: `tea ${n}` })
    await alice.sees('tea 700')
    t.ok((await page.locator('.message').count()) <= 490, `${await page.locator('.message').count()} rows`)
    await page.evaluate(WATCH)
    await bob.ask.send({ room: 'tea', text: 'tea 701' })
    await alice.sees('tea 701')
    const measured = (await page.evaluate('counted.measured')) as number
    t.ok(measured <= 150, `${measured} elements were measured for one message more`)
  })
  t.same(app.troubles, [])
})
