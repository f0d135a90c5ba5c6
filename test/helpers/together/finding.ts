/** How what was missed is caught up with, and what was said is found again. */
import type { Test } from 'tap'
import { DIRECT, ROOM, type Story } from './story.js'

const CUPS = 80

export async function find(t: Test, story: Story): Promise<void> {
  const { alice, bob } = story
  const { page } = bob

  await t.test('what bob has missed is counted, begins at a line, and is read to its end', async () => {
    await alice.goTo(ROOM)
    await bob.goTo(ROOM)
    await bob.listed(ROOM).getByText('unread message').waitFor({ state: 'detached' })
    await bob.goTo(DIRECT)
    for (let n = 1; n <= CUPS; n++) await story.ask('alice', 'POST', `/rooms/${ROOM}/messages`, { text: `cup ${n}.` })
    await alice.sees(`cup ${CUPS}.`)
    await bob.listed(ROOM).getByText(`${CUPS} unread messages`).waitFor({ state: 'attached' })
    await page.getByRole('radio', { name: 'Unread' }).check()
    await bob.goTo(ROOM)
    await page.locator('.new-since').waitFor()
    await bob.sees('cup 1.')
    await bob.press(/new messages? below|To the newest message/)
    await bob.sees(`cup ${CUPS}.`)
    await bob.listed(ROOM).getByText('unread messages').waitFor({ state: 'detached' })
    await page.getByRole('radio', { name: 'All' }).check()
    await bob.listed(DIRECT).waitFor()
    await bob.send('I have had them all')
    await alice.sees('I have had them all')
    await alice.row(`cup ${CUPS}.`).getByRole('button', { name: 'Seen by 1' }).waitFor()
  })

  await t.test('bob finds the first one by its words, its room and who wrote it, and comes back', async () => {
    await page.keyboard.press('Control+Shift+F')
    await bob.panel.getByRole('searchbox', { name: 'Words in messages' }).fill('cup')
    await bob.panel.getByText('The newest 20 messages').waitFor()
    await bob.panel.getByText('Filters', { exact: true }).click()
    await bob.panel.getByLabel('In', { exact: true }).selectOption(ROOM)
    await bob.panel.getByLabel('From', { exact: true }).fill('alice')
    await bob.panel.getByRole('searchbox', { name: 'Words in messages' }).fill('kettle')
    await bob.panel.getByText('1 message', { exact: true }).waitFor()
    await bob.panel.locator('.found').getByRole('link').click()
    await page.locator('#room [data-asked]', { hasText: 'Is the kettle on?' }).waitFor()
    await alice.send('Another one?')
    await bob.press('1 new message below')
    await bob.sees('Another one?')
    await bob.panel.locator('mark', { hasText: 'kettle' }).waitFor()
    await bob.closePanels()
    await page.keyboard.press('Control+k')
    await bob.dialog.getByLabel('Name of a room or a person').fill('alice')
    await bob.dialog
      .getByRole('option', { name: /Alice Liddell/ })
      .first()
      .waitFor()
    await page.keyboard.press('Enter')
    await bob.header.getByText('online · pouring').waitFor()
  })
}
