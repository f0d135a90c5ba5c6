/** The hooks in a real page, under real React in its strict mode, which mounts each component twice. */
import t, { type Test } from 'tap'
import { bundle } from '../helpers/bundle.js'
import { startChromium } from '../helpers/chromium.js'
import { register, serveApp } from '../helpers/web-app.js'

/** What is typed without JSX here. */
const APP = `
  import { createElement as h, StrictMode, useState } from 'react'
  import { createRoot, hydrateRoot } from 'react-dom/client'
  import { createChat } from './dist/client/index.js'
  import { ChatProvider, useLive, useRoom, useRooms, useStatus, useTimeline, useUnread } from './dist/client/react/index.js'

  window.chat = createChat({ url: location.origin, auth: { user: 'alice', password: 'alice-pw' } })
  /** Timelines that were made, and how many of them are over. */
  window.timelines = { made: 0, over: 0 }
  window.watched = (id) => {
    const room = chat.room(id)
    const make = room.timeline.bind(room)
    room.timeline = (options) => {
      const timeline = make(options)
      const dispose = timeline.dispose.bind(timeline)
      timelines.made++
      timeline.dispose = () => {
        timelines.over++
        dispose()
      }
      return timeline
    }
  }

  function Messages({ id, size }) {
    const { room, info } = useRoom(id)
    const { items, state, timeline } = useTimeline(room, { size })
    window.timeline = timeline
    return h('section', { id }, h('h1', null, info?.name ?? id), h('ul', { title: state.older }, items.map((item) => h('li', { key: item.key }, item.kind === 'message' ? item.message.text : item.kind))))
  }

  function App() {
    const [shown, show] = useState({ id: 'tea', size: 10 })
    window.show = show
    const { state } = useStatus()
    const rooms = useRooms()
    const unread = useUnread()
    return h('main', null, h('p', null, [state, rooms.map(({ room }) => room).join(), unread.messages].join(' ')), shown && h(Messages, { ...shown }))
  }

  const tree = h(StrictMode, null, h(ChatProvider, { chat }, h(App)))
  window.troubles = []
  const onRecoverableError = (error) => troubles.push(String(error))
  window.mount = () => (window.root = createRoot(document.querySelector('#app'))).render(tree)
  window.takeOver = () => (window.root = hydrateRoot(document.querySelector('#app'), tree, { onRecoverableError }))
`

async function openPage(t: Test) {
  const app = await serveApp(t, {
    '/': [
      'text/html',
      '<!doctype html><title>app</title><div id="app"></div><script type="module" src="/main.js"></script>',
    ],
    '/main.js': ['text/javascript', bundle(APP)],
  })
  await register(app, 'alice')
  const page = await (await (await startChromium(t)).newContext({ bypassCSP: true })).newPage()
  const troubles: string[] = []
  page.on('pageerror', ({ message }) => troubles.push(message))
  page.on('console', (line) => line.type() !== 'info' && troubles.push(line.text()))
  await page.goto(app.url)
  await page.waitForFunction('window.takeOver')
  await page.evaluate('chat.connect()')
  for (const room of ['tea', 'den']) {
    await page.evaluate(`chat.ask.rooms.create({ room: '${room}', name: 'The ${room}' })`)
    await page.evaluate(`chat.send('${room}', 'first in ${room}').sent`)
    await page.evaluate(`watched('${room}')`)
  }
  const shows = (selector: string, text: string): Promise<unknown> =>
    page.waitForFunction(`document.querySelector('${selector}')?.textContent === '${text}'`)
  return { page, troubles, shows }
}

t.test('a page shows what is said, room after room, and no timeline is left when a component goes', async (t) => {
  const { page, troubles, shows } = await openPage(t)
  await page.evaluate('mount()')
  await shows('#tea ul', 'first in tea')
  await shows('#tea h1', 'The tea')
  await page.evaluate(`chat.send('tea', ', second').sent`)
  await shows('#tea ul', 'first in tea, second')
  t.match(await page.textContent('p'), /^online (tea,den|den,tea) 0$/)
  t.same(await page.evaluate('timelines'), { made: 2, over: 1 }, 'strict mode mounts twice')
  await page.evaluate(`show({ id: 'den', size: 10 })`)
  await shows('#den ul', 'first in den')
  t.same(await page.evaluate('timelines'), { made: 3, over: 2 })
  await page.evaluate(`chat.send('tea', 'unseen').sent`)
  await page.evaluate(`show({ id: 'den', size: 10 })`)
  t.same(await page.evaluate('timelines'), { made: 3, over: 2 }, 'the same options again are no others')
  await page.evaluate(`show({ id: 'den', size: 5 })`)
  await page.waitForFunction('timelines.made === 4')
  await page.evaluate('timeline.older()')
  await page.evaluate('show(null)')
  await page.waitForFunction('timelines.over === timelines.made')
  await page.evaluate('root.unmount()')
  await page.evaluate('mount()')
  await shows('#tea ul', 'first in tea, secondunseen')
  await page.evaluate('root.unmount()')
  await page.waitForFunction('timelines.over === timelines.made')
  t.equal(await page.evaluate('chat.status.current.state'), 'online', 'the client stays the application’s')
  t.same(troubles, [])
})

t.test('a page takes over what a server has rendered, while the client is online already', async (t) => {
  const { page, troubles, shows } = await openPage(t)
  const html = '<main><p>idle  0</p><section id="tea"><h1>tea</h1><ul title="loading"></ul></section></main>'
  await page.evaluate(`document.querySelector('#app').innerHTML = '${html}'`)
  await page.evaluate('void takeOver()')
  await shows('#tea ul', 'first in tea')
  t.same(await page.evaluate('window.troubles'), [])
  t.same(troubles, [])
})
