/** What the web app offers while one writes: people, emoji, commands of bots; and what it says of slow mode, mutes, and texts that are too long. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { findingsOf, WebApp } from '../helpers/web-page.js'

t.test('while one writes', async (t) => {
  const app = await WebApp.start(t)
  for (const user of ['alice', 'bob', 'bonnie', 'carol']) await app.register(user)
  const ask = async (as: string, method: string, path: string, body?: object) => {
    const answer = await fetchFrom(app.broker, `/v1${path}`, { method, as, ...(body && { body }) })
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.text}`)
    return answer
  }
  await ask('alice', 'POST', '/rooms', { room: 'tea' })
  for (const user of ['bob', 'carol']) await ask(user, 'POST', '/rooms/tea/join')
  const alice = await app.enter('alice', '/r/tea')
  const { page } = alice
  await alice.composer.waitFor()
  const options = page.getByRole('option')
  const offered = async (...names: string[]): Promise<void> => {
    await until(`${names} are offered`, async () => {
      const shown = await options.locator('.suggestion-name').allInnerTexts()
      return names.join() === shown.join()
    })
  }

  await t.test('members come first, then others; Tab takes, and who is named is mentioned', async (t) => {
    await alice.composer.pressSequentially('Ask @bo')
    await offered('bob', 'bonnie')
    await page.getByRole('listbox', { name: 'People' }).waitFor()
    t.match(await alice.composer.getAttribute('aria-activedescendant'), /bob$/)
    t.same(await findingsOf(alice), [])
    await page.keyboard.press('ArrowDown')
    await page.locator('.suggestion[aria-selected=true]', { hasText: 'bonnie' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    t.equal(await alice.composer.inputValue(), 'Ask @bob ')
    await alice.composer.pressSequentially('or @Carol. Then @bonn')
    await offered('bonnie')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await alice.allSent(1)
    const { body } = await ask('alice', 'GET', '/rooms/tea/messages')
    t.same(body.messages[0].mentions, ['@bob', '@carol', '@bonnie'], 'also who is not known as a member')
  })

  await t.test('who corrects a message takes no mention back but those whose names go', async () => {
    await page.reload()
    await alice.sees('Ask @bob')
    await alice.composer.press('ArrowUp')
    await alice.composer.fill('Do ask @bob. Then @bonnie too')
    await page.keyboard.press('Enter')
    await until('it is changed', async () => {
      const { body } = await ask('alice', 'GET', '/rooms/tea/messages?view=folded')
      const [{ text, mentions }] = body.messages
      return text.startsWith('Do ask') && mentions.join() === '@bob,@bonnie'
    })
  })

  await t.test('emoji by their names, by mouse; Escape leaves them be', async (t) => {
    await alice.composer.pressSequentially('Hooray :tad')
    await options.filter({ hasText: 'tada' }).click()
    t.equal(await alice.composer.inputValue(), 'Hooray 🎉 ')
    await alice.composer.pressSequentially(':smil')
    await options.first().waitFor()
    await page.keyboard.press('Escape')
    await options.first().waitFor({ state: 'detached' })
    await page.keyboard.type('e')
    t.equal(await options.count(), 0, 'they do not come back by themselves')
    await page.keyboard.press('Enter')
    await alice.sees('Hooray 🎉 :smile')
  })

  await t.test('what an input method composes is neither completed nor sent', async (t) => {
    const input = await page.context().newCDPSession(page)
    await alice.composer.focus()
    await input.send('Input.imeSetComposition', { text: '@bo', selectionStart: 3, selectionEnd: 3 })
    t.equal(await alice.composer.inputValue(), '@bo')
    t.equal(await options.count(), 0)
    await page.keyboard.press('Enter')
    t.equal(await page.locator('.message').count(), 2)
    await input.send('Input.insertText', { text: '@bo' })
    await offered('bob', 'bonnie')
    await page.keyboard.press('Escape')
    await alice.composer.fill('')
  })

  await t.test(
    'commands of bots, with their help; who took one is told, and one that is unknown is asked about',
    async (t) => {
      const { body } = await ask('alice', 'POST', '/bots', { bot: 'helper' })
      const headers = { authorization: `Bearer ${body.key.key}` }
      await fetchFrom(app.broker, '/v1/rooms/tea/join', { method: 'POST', headers })
      const commands = [{ name: 'brew', description: 'Makes tea.', usage: '<kind>' }]
      await ask('alice', 'PUT', '/slash-commands', { bot: 'helper', commands })
      await alice.composer.pressSequentially('/br')
      await options.filter({ hasText: 'Makes tea. · helper' }).waitFor()
      await page.keyboard.press('Enter')
      t.equal(await alice.composer.inputValue(), '/brew ')
      await page.keyboard.type('green')
      await page.keyboard.press('Enter')
      await page.getByText('helper has got the command.').waitFor()
      await until('its row is gone', async () => (await page.locator('.message').count()) === 2)
      await alice.composer.fill('/brow green')
      await page.keyboard.press('Enter')
      await page.getByRole('alert').getByText('No bot here has a command /brow.').waitFor()
      t.same(await findingsOf(alice), [])
      await page.keyboard.press('Enter')
      await alice.sees('/brow green')
    },
  )

  await t.test('a text that is too long says by how much, and is not sent', async (t) => {
    await ask('alice', 'PATCH', '/rooms/tea', { policies: { textLength: 100 } })
    await alice.composer.fill('x'.repeat(107))
    await page.getByText('too long for one message by 7 characters').waitFor()
    await page.keyboard.press('Enter')
    t.equal((await alice.composer.inputValue()).length, 107)
    await alice.composer.fill('')
  })

  await t.test('what is sent by the button takes what was offered for it away', async () => {
    await alice.composer.pressSequentially('hello @bo')
    await offered('bob', 'bonnie')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await options.first().waitFor({ state: 'detached' })
    await alice.composer.pressSequentially('hello @bo')
    await offered('bob', 'bonnie')
    await page.keyboard.press('Escape')
    await alice.composer.fill('')
  })

  await t.test('who wants so begins a line with Enter, and sends with Ctrl+Enter', async () => {
    await page.goto(`${app.url}/settings/appearance`)
    await page.getByLabel('Enter key').selectOption({ label: 'Begins a line (Ctrl+Enter sends)' })
    await page.goto(`${app.url}/r/tea`)
    await alice.composer.pressSequentially('one')
    await page.keyboard.press('Enter')
    await alice.composer.pressSequentially('two')
    await page.keyboard.press('Control+Enter')
    await alice.sees('one\ntwo')
  })

  await t.test('slow mode counts down, and keeps what is written, also by a clock that is behind', async (t) => {
    await ask('alice', 'PATCH', '/rooms/tea', { slowMode: 300 })
    const bob = await app.enter('bob', '/r/tea')
    await bob.page.context().addInitScript('{ const { now } = Date; Date.now = () => now() - 600_000 }')
    await bob.page.reload()
    await bob.composer.waitFor()
    await bob.send('first')
    await bob.allSent(1)
    await bob.page.getByText('Slow mode: a message every 300 seconds.').waitFor()
    await bob.send('second')
    t.equal(await bob.composer.inputValue(), 'second')
    await bob.page.getByRole('button', { name: /You can send again in 2\d\d seconds/ }).waitFor()
    t.same(await findingsOf(bob), [])
    await ask('alice', 'PUT', '/rooms/tea/mutes/bob', { for: 3600 })
    await bob.page.getByText('A moderator has muted you here').waitFor()
    await ask('alice', 'DELETE', '/rooms/tea/mutes/bob')
    await bob.composer.waitFor()
    t.equal(await bob.composer.inputValue(), 'second')
  })

  t.same(app.troubles, [])
})
