/** `deploy/haproxy/haproxy.cfg`, run by the real HAProxy in front of real brokers. */
import http from 'node:http'
import t from 'tap'
import { startHaproxy, statesOf } from '../helpers/haproxy.js'
import { testProxy } from '../helpers/proxied-suite.js'

t.test('HAProxy', async (t) => {
  await testProxy(t, {
    start: startHaproxy,
    drain: { drain: { delay: 3600 } },
    async noticed(proxy) {
      let now: string[] = []
      do now = await statesOf(proxy)
      while (now[0] !== 'DOWN')
      t.same(now, ['DOWN', 'UP', 'DOWN'], 'and the one that never was there is down')
    },
  })
})

t.test('HAProxy sends browsers to HTTPS', async (t) => {
  const nobody = { 1883: 1, 8883: 1, 8080: 1 }
  const proxy = await startHaproxy(t, [nobody, nobody, nobody])
  const request = http.get({
    port: proxy.port('80'),
    path: '/docs',
    headers: { host: 'chat.example.com' },
    agent: false,
  })
  const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve))
  t.match(response, { statusCode: 308, headers: { location: 'https://chat.example.com/docs' } })
  response.destroy()
})
