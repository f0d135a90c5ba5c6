/** A bot that takes commands, and a lamp that is looked at, commanded, shared and heard in a room. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { endWithUs } from '../end-with-us.js'
import type { Person } from './person.js'
import { ROOM, type Story } from './story.js'

export async function useMachines(t: Test, story: Story): Promise<void> {
  const { alice, bob } = story
  const { broker } = story.app

  await t.test('a bot of alice takes a command of bob, and both see what it answers', async () => {
    const { key } = await story.ask('alice', 'POST', '/bots', { bot: 'helper' })
    const commands = [{ name: 'brew', description: 'Makes tea.', usage: '<kind>' }]
    await story.ask('alice', 'PUT', '/slash-commands', { bot: 'helper', commands })
    const helper = await broker.connect('helper', { password: key.key })
    helper.on('message', (_topic, payload) => {
      const { type, room, args } = JSON.parse(payload.toString())
      if (type === 'command') helper.publish(`rooms/${room}/messages`, `One pot of ${args}`, { qos: 1 })
    })
    await helper.subscribeAsync('users/helper/events', { qos: 1 })
    await alice.goTo(ROOM)
    await bob.goTo(ROOM)
    await alice.about('Invitations')
    await alice.panel.getByLabel('Whom do you want to invite?').fill('helper')
    await alice.press('Invite: helper', alice.panel)
    await alice.press('Take back: helper', alice.panel)
    await alice.press('Invite: helper', alice.panel)
    await alice.panel.getByRole('button', { name: 'Take back: helper' }).waitFor()
    await helper.publishAsync('users/helper/requests/rooms.join', JSON.stringify({ id: 'join', room: ROOM }), {
      qos: 1,
    })
    await bob.header.getByText('3 members').waitFor()
    await alice.panel.getByRole('button', { name: 'Invite: helper' }).waitFor()
    await alice.closePanels()
    await bob.composer.pressSequentially('/br')
    await bob.page.getByRole('option', { name: /brew/ }).getByText('Makes tea. · helper').waitFor()
    await bob.composer.press('Enter')
    await bob.composer.pressSequentially('green tea')
    await bob.composer.press('Enter')
    await bob.page.getByText('helper has got the command.').waitFor()
    for (const one of [alice, bob]) await one.sees('One pot of green tea')
  })

  const lamp = await addLamp(t, story)
  const measure = (name: string, value: unknown): void => void lamp.send([name, value])
  const fact = ({ page }: Person, name: string) => page.locator('.facts > div', { hasText: name }).locator('dd')
  const last = ({ page }: Person, name: string) =>
    page.locator('.series', { has: page.getByRole('heading', { name }) }).locator('.series-last bdi')
  const row = ({ page }: Person, text: string) => page.locator('.row', { hasText: text })
  const command = async ({ page }: Person, params: string): Promise<void> => {
    await page.getByLabel('Command', { exact: true }).fill('dim')
    await page.getByLabel('Parameters').fill(params)
    await page.getByRole('button', { name: 'Send the command' }).click()
  }

  await t.test('what it tells is drawn for alice, and for bob as soon as she shares it', async () => {
    await alice.page.getByRole('link', { name: /Lamp/ }).getByText('online').waitFor()
    await alice.page.getByRole('link', { name: /Lamp/ }).click()
    await fact(alice, 'level').getByText('10').waitFor()
    await alice.page.getByText('Nothing was measured').waitFor()
    measure('watts', 4)
    await last(alice, 'watts').getByText('4', { exact: true }).waitFor()
    await alice.page.locator('section', { hasText: 'Shared with' }).getByLabel('User name').fill('bob')
    await alice.page.getByLabel('What they may do').selectOption('control')
    await alice.press('Share')
    await row(alice, 'bob').getByText('may look and send commands').waitFor()
    await bob.choose('Menu', 'Devices')
    await bob.page.getByRole('link', { name: /Lamp/ }).click()
    await bob.page.getByText('Belongs to alice').waitFor()
    await bob.page.getByText('Nothing was measured').waitFor()
    // From then on he is told what it tells.
    await fact(bob, 'level').getByText('10').waitFor()
    for (const watts of [5, 6.5]) measure('watts', watts)
    for (const one of [alice, bob]) await last(one, 'watts').getByText('6.5').waitFor()
    await alice.page.getByRole('img', { name: /watts: last 6.5, lowest 4, highest 6.5/ }).waitFor()
  })

  await t.test('a command of bob is done, which alice sees, and one of hers fails', async () => {
    await command(bob, '{"to": 3}')
    await row(bob, '{"to":3}').getByText('done').waitFor()
    for (const one of [alice, bob]) await fact(one, 'level').getByText('3').waitFor()
    await command(alice, '{"to": 30}')
    await row(alice, '{"to":30}').getByText('to: 0 to 10').waitFor()
    await row(alice, '{"to":3}').getByText('done').waitFor()
  })

  await t.test('it is heard in the room, until it is not', async () => {
    await alice.page.getByLabel('Topics below the device').fill('telemetry/door')
    await alice.page.getByLabel('Room', { exact: true }).selectOption(ROOM)
    await alice.page.getByLabel('Text of each message').fill('The door: {value}')
    await alice.press('Post into the room')
    await row(alice, 'telemetry/door').getByRole('link').waitFor()
    measure('door', 'open')
    await alice.listed(ROOM).getByText('The door: open').waitFor()
    await bob.goTo(ROOM)
    await bob.sees('The door: open')
    await bob.row('The door: open').locator('.author', { hasText: 'Lamp' }).waitFor()
    await alice.press('Post telemetry/door no more')
    await alice.page.getByText('posted into no room').waitFor()
  })

  await t.test('it goes, and is shared no more, which bob is told of where he looks at it', async () => {
    await bob.choose('Menu', 'Devices')
    lamp.disconnect()
    await once(lamp, 'exit')
    await bob.page.getByRole('link', { name: /Lamp/ }).getByText('last seen').waitFor()
    await bob.page.getByRole('link', { name: /Lamp/ }).click()
    await fact(bob, 'level').waitFor()
    await alice.press('Share no more with bob')
    await alice.page.getByText('With nobody.').waitFor()
    await bob.page.getByText('This does not exist').waitFor()
    await bob.choose('Menu', 'Devices')
    await bob.page.getByText('No devices yet').waitFor()
    await alice.page.locator('section', { hasText: 'Shared with' }).getByLabel('User name').fill('bob')
    await alice.press('Share', alice.page.locator('section', { hasText: 'Shared with' }))
    await bob.page.getByRole('link', { name: /Lamp/ }).waitFor()
  })
}

/** Alice adds it by the page, with whose key its program runs. */
async function addLamp(t: Test, { alice, app }: Story): Promise<ChildProcess> {
  await alice.choose('Menu', 'Devices')
  await alice.press('Add a device')
  await alice.dialog.getByLabel('Name for the login').fill('lamp')
  await alice.dialog.getByLabel('What it is called').fill('Lamp')
  await alice.press('Add a device', alice.dialog)
  await alice.dialog.getByText('This key is shown only now').waitFor()
  const key = await alice.dialog.locator('code').first().innerText()
  await alice.press('Close', alice.dialog)
  const program = fileURLToPath(new URL('../lamp-process.js', import.meta.url))
  const lamp = fork(program, [app.broker.mqttUrl, key])
  endWithUs(lamp)
  t.teardown(() => lamp.kill())
  return lamp
}
