/** Files, pictures and voice messages that they show each other. */

import sharp from 'sharp'
import type { Test } from 'tap'
import { until } from '../patience.js'
import type { Person } from './person.js'
import { DIRECT, ROOM, type Story } from './story.js'

const background = { r: 40, g: 120, b: 200 }

/** A blue rectangle. */
async function picture(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background } })
    .png()
    .toBuffer()
}

/** What a person drags over the timeline and lets go, or pastes into the composer. */
function give({ page }: Person, kind: 'drop' | 'paste', name: string, bytes: Buffer): Promise<void> {
  return page.evaluate(`{
    const data = new DataTransfer()
    const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (one) => one.charCodeAt(0))
    data.items.add(new File([bytes], '${name}', { type: 'image/png' }))
    const about = { bubbles: true, cancelable: true }
    if ('${kind}' === 'paste')
      document.querySelector('#room .composer textarea').dispatchEvent(new ClipboardEvent('paste', { ...about, clipboardData: data }))
    else
      for (const type of ['dragover', 'drop'])
        document.querySelector('#room .timeline').dispatchEvent(new DragEvent(type, { ...about, dataTransfer: data }))
  }`)
}

export async function show(t: Test, { alice, bob }: Story): Promise<void> {
  await t.test('pictures that were chosen, dragged and pasted are seen by the other, with a caption', async (t) => {
    await alice.goTo(DIRECT)
    await bob.goTo(DIRECT)
    const files = alice.page.locator('#room .composer input[type=file]')
    await files.setInputFiles({ name: 'one.png', mimeType: 'image/png', buffer: await picture(600, 300) })
    await give(alice, 'paste', 'two.png', await picture(100, 100))
    await give(alice, 'drop', 'three.png', await picture(300, 600))
    await until('three are chosen', async () => (await alice.page.locator('.tray-file').count()) === 3)
    // They are of this room.
    await alice.goTo(ROOM)
    t.equal(await alice.page.locator('.tray-file').count(), 0)
    await alice.goTo(DIRECT)
    await until('three are chosen', async () => (await alice.page.locator('.tray-file').count()) === 3)
    await alice.press('Remove two.png')
    await alice.press('Alt text of three.png')
    await alice.page.getByRole('textbox', { name: 'Describe three.png' }).fill('A tall blue door')
    await alice.send('Look at these')
    await bob.sees('Look at these')
    await until('both are loaded', async () => (await bob.page.locator('.picture-grid img.loaded').count()) === 2)
    await bob.press('Enlarge: A tall blue door')
    await bob.page.getByRole('dialog', { name: 'Picture 2 of 2' }).waitFor()
    await bob.page.keyboard.press('ArrowLeft')
    await bob.page.getByRole('dialog', { name: 'Picture 1 of 2' }).waitFor()
    await bob.page.keyboard.press('Escape')
    await bob.dialog.waitFor({ state: 'detached' })
    await alice.row('Look at these').locator('.mark.read').waitFor()
  })

  await t.test('a file is saved under its name, and forwarded', async (t) => {
    const buffer = Buffer.from('%PDF-1.4 tea')
    const files = alice.page.locator('#room .composer input[type=file]')
    await files.setInputFiles({ name: 'tea.pdf', mimeType: 'application/pdf', buffer })
    await alice.send('Please read')
    const [saved] = await Promise.all([bob.page.waitForEvent('download'), bob.press('Save tea.pdf')])
    t.equal(saved.suggestedFilename(), 'tea.pdf')
    const line = bob.row('Please read').locator('.file-line')
    const { y, height } = (await line.boundingBox())!
    const text = (await bob.row('Please read').locator('.message-text').boundingBox())!
    t.ok(text.y - (y + height) < height, 'the text follows the file')
    await bob.act('Please read', 'Forward')
    await bob.dialog.getByRole('checkbox', { name: 'Tea time' }).check()
    await bob.press('Forward to 1', bob.dialog)
    await bob.dialog.waitFor({ state: 'detached' })
    await alice.goTo(ROOM)
    await alice.row('Please read').getByText('Forwarded from').waitFor()
    await Promise.all([alice.page.waitForEvent('download'), alice.press('Save tea.pdf')])
  })

  await t.test('a voice message is recorded, sent and heard', async () => {
    await bob.press('Record a voice message')
    await bob.page.locator('.recorder-time', { hasText: /0:0[1-9]|0:[1-9]/ }).waitFor()
    await bob.press('Send the recording')
    await alice.goTo(DIRECT)
    await alice.press('Play')
    await until('it is heard', async () =>
      alice.page.evaluate<boolean>("document.querySelector('.voice audio').currentTime > 0.2"),
    )
    await bob.page
      .locator('#room .message.own', { has: bob.page.locator('.voice') })
      .locator('.mark.read')
      .waitFor()
    await bob.listed(DIRECT).getByText('You: ').waitFor()
  })
}
