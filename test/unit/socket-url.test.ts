/** The WebSocket that belongs to the address of a broker. */
import t from 'tap'
import { Chat } from '../../client/chat.js'
import { brokerOf, socketUrl } from '../../client/connection/socket-url.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

t.test('an address of the broker, or of its WebSocket', async (t) => {
  for (const [url, socket] of [
    ['https://chat.example.com', 'wss://chat.example.com/mqtt'],
    ['https://chat.example.com/', 'wss://chat.example.com/mqtt'],
    ['http://127.0.0.1:8080', 'ws://127.0.0.1:8080/mqtt'],
    ['HTTPS://[::1]:8443', 'wss://[::1]:8443/mqtt'],
    ['wss://chat.example.com/socket', 'wss://chat.example.com/socket'],
    ['https://example.com/chat/mqtt', 'wss://example.com/chat/mqtt'],
  ] as const)
    t.equal(socketUrl(url), socket)
})

t.test('a broker is its host, and its path where it has one of its own', async (t) => {
  for (const [url, broker] of [
    ['https://Chat.example.com', 'chat.example.com'],
    ['http://127.0.0.1:8080/mqtt', '127.0.0.1:8080'],
    ['https://example.com/a/mqtt', 'example.com/a/mqtt'],
    ['https://example.com/b/mqtt', 'example.com/b/mqtt'],
  ] as const)
    t.equal(brokerOf(socketUrl(url)), broker)
})

t.test('what is no such address is refused, and says how one looks', async (t) => {
  for (const url of [
    '',
    'chat.example.com',
    'mqtt://host',
    'https://',
    'https://host?x',
    'https://ho st',
    'https://host/mqtt#x',
  ])
    t.throws(
      () => socketUrl(url),
      { name: 'ChatError', code: 'bad_request', field: 'url', message: /https:\/\/host/ },
      url,
    )
})

t.test('a client id begins with a name that operators can read', async (t) => {
  const platform = { ...realEnv, socket: webSocket }
  for (const device of ['', 'a b', 'x'.repeat(41), 'a/b'])
    t.throws(
      () => new Chat({ url: 'http://host', auth: { token: 'x' }, device }, platform),
      { name: 'ChatError', field: 'device' },
      device,
    )
  t.equal(
    new Chat({ url: 'http://host', auth: { token: 'x' }, device: 'phone_1' }, platform).status.current.state,
    'idle',
  )
})
