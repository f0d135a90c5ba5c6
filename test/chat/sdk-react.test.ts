/** The hooks of React where there is no page: a server renders what is known without a connection, and nothing is left of it. */
import { createElement, type ReactElement } from 'react'
import { renderToString } from 'react-dom/server'
import t from 'tap'
import { createChat } from '../../client/index.js'
import {
  ChatProvider,
  useChat,
  useLive,
  useRoom,
  useRooms,
  useStatus,
  useTimeline,
  useUnread,
} from '../../client/react/index.js'
import { startTestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { webSocket } from '../helpers/web-socket.js'

function App(): ReactElement {
  const chat = useChat()
  const { state } = useStatus()
  const rooms = useRooms()
  const { messages } = useUnread()
  const { room, info } = useRoom('tea')
  const { items, timeline } = useTimeline(room, { size: 20 })
  const typing = useLive(room.typing)
  return createElement('p', null, JSON.stringify([chat.user, state, rooms, messages, info, items, timeline, typing]))
}

const NOTHING = [null, 'idle', [], 0, null, [], null, []]

function rendered(chat: ReturnType<typeof createChat>): unknown {
  const html = renderToString(createElement(ChatProvider, { chat }, createElement(App)))
  return JSON.parse(/<p>(.*)<\/p>/.exec(html)![1]!.replaceAll('&quot;', '"'))
}

t.test(
  'on a server the hooks render without a connection, whatever the client is doing, and leave nothing',
  async (t) => {
    const broker = await startTestBroker(t)
    const chat = createChat({ url: httpUrl(broker), auth: { token: await broker.token('ann') } }, { socket: webSocket })
    t.teardown(() => chat.close())
    t.same(rendered(chat), NOTHING)
    await chat.connect()
    await chat.ask.rooms.create({ room: 'tea' })
    await chat.send('tea', 'Hello!').sent
    t.same(rendered(chat), ['ann', ...NOTHING.slice(1)], 'so that the page can take it over')
  },
)

t.test('a component outside of a ChatProvider is told so', async (t) => {
  t.throws(() => renderToString(createElement(App)), /there is no ChatProvider/)
})
