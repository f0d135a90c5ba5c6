/** What a message says, and how it is shown: code, addresses, people, rooms. */
import t from 'tap'
import { when } from '../helpers/outbox-app.js'
import { answered } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('what messages say', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const bob = await app.client('bob')
  await bob.ask.rooms.create({ room: 'tea' })
  await bob.ask.send({ room: 'tea', text: 'the first' })
  const alice = await app.enter('alice', '/r/tea', { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = alice
  await page.getByRole('button', { name: 'Join' }).click()
  await alice.sees('the first')
  /** Resolves when bob's client has it, too. */
  const has = (room: string, text: string) =>
    answered(
      text,
      when(bob.rooms, (rooms) =>
        rooms.some((one) => one.room === room && one.last && 'text' in one.last && one.last.text === text),
      ),
    )
  const say = (text: string, mentions: string[] = []) => bob.ask.send({ room: 'tea', text, mentions })

  await t.test('a block of code keeps its lines, and is copied as it is', async (t) => {
    const code = `if (x) {\n\t${'long '.repeat(60)}\n}`
    await say(`Look at this:\n\`\`\`js\n${code}\n\`\`\`\nand at \`npm start\`.`)
    await alice.sees('Look at this')
    t.equal(await page.locator('.code-block code').textContent(), code)
    t.equal(await page.locator('.message-text > code').textContent(), 'npm start')
    await page.getByRole('button', { name: 'Copy the code' }).click()
    await page.locator('.banner').getByText('Copied').waitFor()
    t.equal(await page.evaluate('navigator.clipboard.readText()'), code)
    const [inner, outer]: [number, number] = await page.evaluate(
      "[document.querySelector('.timeline').scrollWidth, document.querySelector('.timeline').clientWidth]",
    )
    t.ok(inner <= outer, 'the room itself is not scrolled sideways')
  })

  await t.test('who is mentioned stands out, and leads to them', async () => {
    await say('@Alice and @bob, come to #tea (not @carol, nor #milk)', ['@alice', '@bob'])
    await page.locator('mark.mention', { hasText: '@Alice' }).waitFor()
    await page.locator('a[href="/u/bob"]', { hasText: '@bob' }).waitFor()
    await page.locator('.message-text a[href="/r/tea"]').waitFor()
    await page.locator('.message-text a', { hasText: /carol|milk/ }).waitFor({ state: 'detached' })
  })

  await t.test('an address of this server is followed within the app', async () => {
    await page.evaluate("document.body.dataset.mark = 'here'")
    await say(`See ${app.url}/r/tea/1`)
    await page.getByRole('link', { name: `${app.url}/r/tea/1`, exact: true }).click()
    await page.waitForURL('**/r/tea/1')
    await page.locator('body[data-mark=here]').waitFor()
  })

  await t.test('a few emoji are large', async () => {
    await say('🎉🎉')
    await page.locator('.message-text.large').waitFor()
  })

  await t.test('places, data and what is encrypted are named as such', async (t) => {
    await bob.send('tea', { type: 'location', data: { lat: 48.4, lon: 9.99, accuracy: 20, name: 'Ulm' } }).sent
    await bob.send('tea', { type: 'custom', data: { temp: 21.5, room: '<b>kitchen</b>' } }).sent
    await bob.send('tea', { type: 'custom', data: { deep: { list: [1, 2] } } }).sent
    await bob.send('tea', { type: 'encrypted', data: 'AAAA' }).sent
    await page.getByText('Encrypted message').last().waitFor()
    const link = page.getByRole('link', { name: 'Ulm' })
    t.match(await link.getAttribute('href'), 'https://www.openstreetmap.org/?mlat=48.4&mlon=9.99')
    t.equal(await page.locator('.message-data').innerText(), 'temp\n21.5\nroom\n<b>kitchen</b>')
    t.match(await page.locator('.code-block code').last().textContent(), '"deep": {')
  })

  await t.test('what was forwarded says from whom, and leads there', async () => {
    const { seq } = await bob.ask.send({ room: 'tea', text: 'the original' })
    await bob.ask.rooms.create({ room: 'pot' })
    await alice.page.evaluate("history.pushState({}, '', '/r/pot'); dispatchEvent(new PopStateEvent('popstate'))")
    await page.getByRole('button', { name: 'Join' }).click()
    await bob.room('tea').forward(seq, 'pot').sent
    await page.getByRole('link', { name: 'Forwarded from bob' }).click()
    await page.waitForURL(`**/r/tea/${seq}`)
    await alice.sees('the original')
  })

  await t.test('who has read an own message is told: to a room how many and who, to a person whether', async () => {
    await alice.send('do you read me?')
    await page.locator('.mark.delivered, .mark.sent').last().waitFor()
    await alice.allSent(1)
    await has('tea', 'do you read me?')
    bob.room('tea').read()
    await page.getByRole('button', { name: 'Seen by 1' }).click()
    await page.getByRole('menuitem', { name: 'bob' }).click()
    await page.waitForURL('**/r/dm:alice:bob')
    await alice.send('and here?')
    await alice.allSent(1)
    await page.locator('.mark.delivered').waitFor()
    await has('dm:alice:bob', 'and here?')
    bob.room('dm:alice:bob').read()
    await page.locator('.mark.read').getByText('Read').waitFor({ state: 'attached' })
  })

  t.same(await findingsOf(alice), [])
  t.same(app.troubles, [])
})
