/** What people write and how they call themselves is text, whatever it says. */
import t from 'tap'
import { WebApp } from '../helpers/web-page.js'

const TOWER = `Z${'\u0310\u0300\u0343'.repeat(400)}algo`
const TEXTS = [
  '<script>document.title = "taken"</script>',
  '<img src=x onerror="document.title = \'taken\'">',
  '"><svg onload=alert(1)>',
  'javascript:document.title="taken"',
  'https://example.com/"onmouseover="document.title=1',
  'https://example.com/<script>x</script>',
  'http://[broken https://ok.example/a(b) (https://ok.example/c).',
  '\u202e gnp.exe \u2066\u2067 no end',
  TOWER,
  '{{constructor.constructor("alert(1)")()}} %name%',
  '💥'.repeat(500),
  'W'.repeat(5000),
  `${'\n'.repeat(300)}after many lines`,
  '<b>bold</b> &lt;i&gt; &amp;',
]
const NAMES = ['<script>alert(1)</script>', `${TOWER}`, '\u202eecila', '"><img src=x onerror=alert(1)>', ' \u200b ']

t.test('hostile texts and names', async (t) => {
  const app = await WebApp.start(t, { limits: { rates: 'off' } })
  const mallory = await app.client('mallory')
  for (const [n, name] of NAMES.entries())
    await mallory.ask.rooms.create({ room: `bad-${n}`, name, topic: name }).catch(() => {})
  await mallory.ask.users.update({ name: '<img src=x onerror=alert(1)>' })
  await mallory.ask.rooms.create({ room: 'pit', name: '<script>alert(1)</script>', topic: TOWER.slice(0, 900) })
  const alice = await app.enter('alice', '/r/pit')
  const { page } = alice
  const dialogs: string[] = []
  page.on('dialog', (dialog) => void dialogs.push(dialog.message()))
  await page.getByRole('button', { name: 'Join' }).click()
  await alice.composer.waitFor()
  for (const text of TEXTS) await mallory.send('pit', text).sent
  await mallory.send('pit', 'the end').sent
  await alice.sees('the end')

  await t.test('every text is shown as it is', async (t) => {
    const folded = page.getByRole('button', { name: 'Show all' })
    t.equal(await folded.count(), 2)
    while ((await folded.count()) > 0) await folded.first().click()
    const shown = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.message-text')].map((one) => one.textContent)",
    )
    // What stands at the ends of a message is the composer's to cut, and not the reader's.
    t.same(shown, [...TEXTS, 'the end'])
  })

  await t.test('only addresses of the web are links, and open without a referrer', async (t) => {
    const links = await page.evaluate<[string, string][]>(
      "[...document.querySelectorAll('.message-text a')].map((one) => [one.getAttribute('href'), one.rel])",
    )
    for (const [href, rel] of links) {
      t.match(href, /^https?:\/\//)
      t.match(rel, /noopener noreferrer/)
    }
    t.same(
      links.map(([href]) => href),
      ['https://example.com/', 'https://example.com/', 'https://ok.example/a(b)', 'https://ok.example/c'],
    )
  })

  await t.test('nothing runs, and no element is made', async (t) => {
    t.same(dialogs, [])
    t.equal(await page.locator('.message img, .message script, .message svg[onload], .rooms-pane script').count(), 0)
    t.match(await page.title(), /^(\(\d+\) )?<script>alert\(1\)<\/script> · /)
  })

  await t.test('no row is wider than its place, and no tower leaves its row', async (t) => {
    const faults = await page.evaluate(`{
      const list = document.querySelector('.timeline')
      const faults = []
      if (list.scrollWidth > list.clientWidth) faults.push('timeline')
      if (document.documentElement.scrollWidth > innerWidth) faults.push('page')
      for (const one of document.querySelectorAll('.bubble')) if (getComputedStyle(one).overflowY !== 'clip') faults.push('bubble')
      faults
    }`)
    t.same(faults, [])
    for (const name of await page.locator('bdi').allInnerTexts())
      t.notMatch(name, /[\u202a-\u202e\u2066-\u2069]|\p{M}{5}/u)
  })
  t.same(app.troubles, [], 'no policy was broken')
})
