/** A client of the SDK that loses its connection again and again keeps nothing of the connections that are gone. */
import { queryObjects } from 'node:v8'
import t from 'tap'
import { createChat } from '../../client/index.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { freePort } from '../helpers/free-port.js'
import { when } from '../helpers/outbox-app.js'
import { webSocket } from '../helpers/web-socket.js'

const RECONNECTS = 200
/** Reconnects before objects are counted: what is made once is there by then. */
const FIRST = 50
/** Objects for each reconnect, of which this test keeps one itself. */
const MOST_OBJECTS = 2

/** How many there are that are in use, by class. */
function count(): { objects: number; functions: number; promises: number } {
  const [objects, functions, promises] = [Object, Function, Promise].map((one) =>
    queryObjects(one, { format: 'count' }),
  )
  return { objects: objects!, functions: functions!, promises: promises! }
}

t.test(`after ${RECONNECTS} reconnects nothing of earlier connections is left`, async (t) => {
  const httpPort = await freePort()
  const broker = await BrokerProcess.make(t, [`listen.http=${httpPort}`, 'limits.rates=off'])
  await broker.start()
  const proxy = await ByteProxy.start(t, () => httpPort)
  const sockets: WeakRef<object>[] = []
  const socket = (url: string) => {
    const made = webSocket(url)
    sockets.push(new WeakRef(made))
    return made
  }
  const auth = { getToken: () => broker.token('ann') }
  const chat = createChat({ url: `http://127.0.0.1:${proxy.port}`, auth }, { socket })
  t.teardown(() => chat.close())
  await chat.connect()
  await chat.ask.rooms.create({ room: 'tea' })
  await chat.send('tea', 'said').sent
  const timeline = chat.room('tea').timeline()
  let before = count()
  for (let i = 1; i <= RECONNECTS; i++) {
    proxy.cut()
    await when(chat.status, ({ state }) => state !== 'online')
    if (chat.status.current.state === 'waiting') chat.retryNow()
    await when(chat.status, ({ state }) => {
      if (state === 'waiting') chat.retryNow()
      return state === 'online'
    })
    await chat.ask.unread({ room: 'tea' })
    if (i === FIRST) before = count()
  }
  const after = count()
  t.comment(JSON.stringify({ before, after }))
  const each = (after.objects - before.objects) / (RECONNECTS - FIRST)
  t.ok(each <= MOST_OBJECTS, `${each} objects for each reconnect`)
  for (const kind of ['functions', 'promises'] as const)
    t.ok(after[kind] - before[kind] < RECONNECTS / 10, `${after[kind] - before[kind]} ${kind}`)
  const alive = sockets.filter((made) => made.deref() !== undefined).length
  t.ok(sockets.length > RECONNECTS, 'there were as many connections')
  t.ok(alive <= 2, `of ${sockets.length} sockets ${alive} are in use`)
  await when(timeline.items, (items) => items.length > 0)
  await chat.close()
  const kept = process.getActiveResourcesInfo().filter((name) => name === 'Timeout')
  t.same(kept, [], 'no timer is left')
})
