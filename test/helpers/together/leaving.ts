/** How they go: bob with all that is his, and alice until the next time. */
import { readFile } from 'node:fs/promises'
import type { Test } from 'tap'
import { until } from '../patience.js'
import { passwordOf } from '../web-page.js'
import { DIRECT, ROOM, type Story } from './story.js'

export async function leave(t: Test, story: Story): Promise<void> {
  const { alice, bob, app } = story

  await t.test(
    'bob takes a copy of what is his, and deletes the account; what he wrote is gone for alice',
    async (t) => {
      await alice.goTo(ROOM)
      await alice.sees('I have had them all')
      await bob.openSettings('Your data')
      await bob.press('Prepare the file')
      const [copy] = await Promise.all([
        bob.page.waitForEvent('download'),
        bob.page.getByRole('link', { name: 'Download' }).click(),
      ])
      t.equal((await readFile(await copy.path())).toString('latin1', 0, 2), 'PK')
      await bob.page.getByLabel('Type bob to go on').fill('bob')
      await bob.page.getByLabel('Your password').fill(passwordOf('bob'))
      await bob.press('Delete my account')
      await bob.page.locator('input[name=username]').waitFor()
      // She, her bot, and her lamp.
      await alice.header.getByText('3 members').waitFor()
      await alice.page.locator('.message-text', { hasText: 'I have had them all' }).waitFor({ state: 'detached' })
      await story.agree(ROOM, [alice])
    },
  )

  await t.test('alice logs out, and nothing of it is left in her browser', async (t) => {
    await alice.press('Logged in as alice')
    await alice.press('Log out', alice.dialog)
    await alice.page.getByLabel('Password').waitFor()
    const left = 'indexedDB.databases().then((all) => [...all.map(({ name }) => name), ...Object.keys(localStorage)])'
    await until('all of it is gone', async () => (await alice.page.evaluate<string[]>(left)).length === 0)
    t.same(await alice.page.context().cookies(), [])
    await alice.page.goto(`${app.url}/r/${DIRECT}`)
    await alice.page.getByLabel('Password').waitFor()
    t.notMatch(await alice.page.locator('body').innerText(), /bob|Coffee|kettle/)
  })
}
