/** How the broker serves the web app: who gets it where, how its files come, and how a server is made one's own. */
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import t from 'tap'
import { completeConfig, startBroker } from '../../broker/index.js'
import { startTestBroker } from '../helpers/broker.js'
import { CERTIFICATE, certificateFiles } from '../helpers/certificate.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8"/></svg>'

/** The paths of the files that a page names. */
const filesOf = (page: string): string[] =>
  [...page.matchAll(/"(\/assets\/[^"]+\.(?:js|css))"/g)].map(([, path]) => path!)

t.test('the web app', async (t) => {
  const broker = await startTestBroker(t)
  const { text: page, headers } = await fetchFrom(broker, '/', { headers: BROWSER })

  t.test('browsers get it at /, under a strict policy; JSON and curl get what they got before', async (t) => {
    t.equal(headers.get('content-type'), 'text/html; charset=utf-8')
    t.equal(headers.get('cache-control'), 'no-cache')
    const policy = headers.get('content-security-policy') ?? ''
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "require-trusted-types-for 'script'",
    ])
      t.ok(policy.split('; ').includes(part), part)
    t.notMatch(policy, /unsafe/)
    t.match(headers.get('vary'), /accept/)
    t.notMatch(page, /<script(?![^>]*src=)|style="|%\w+%/, 'nothing inline, and no placeholder is left')
    const curl = await fetchFrom(broker, '/', { headers: { accept: '*/*' } })
    t.match(curl.text, /topictalk user add/)
    t.match((await fetchFrom(broker, '/', { headers: { accept: 'application/json' } })).body, { wsPath: '/mqtt' })
  })

  t.test('it is at the address of each of its pages, for browsers alone', async (t) => {
    for (const path of ['/r/tea', '/r/dm:alice:bob', '/r/tea/42', '/u/bob', '/login', '/register']) {
      t.equal((await fetchFrom(broker, path, { headers: BROWSER })).text, page, path)
      t.match(await fetchFrom(broker, path), { status: 404, body: { code: 'not_found' } }, path)
    }
  })

  t.test('at an address where nothing is, browsers get it too, to say so; programs get a problem', async (t) => {
    for (const path of ['/nothing', '/r/tea/42/more', '/nothing?a=b']) {
      const lost = await fetchFrom(broker, path, { headers: BROWSER })
      t.match(lost, { status: 404, text: page }, path)
      t.equal(lost.headers.get('content-security-policy'), headers.get('content-security-policy'), path)
      t.equal(lost.headers.get('cache-control'), 'no-store', path)
      t.match(await fetchFrom(broker, path), { status: 404, body: { code: 'not_found' } }, path)
    }
    const problem = { status: 404, body: { code: 'not_found' } }
    t.match(await fetchFrom(broker, '/v1/nothing', { headers: BROWSER }), problem)
    t.match(await fetchFrom(broker, '/nothing', { method: 'POST', headers: BROWSER }), problem)
  })

  t.test('its files come compressed, and are kept for good', async (t) => {
    const files = filesOf(page)
    t.ok(files.length >= 2)
    for (const path of files) {
      const read = async (encoding: string) => {
        const headers = { 'accept-encoding': encoding }
        const [answer] = (await once(http.get(`${httpUrl(broker)}${path}`, { headers }), 'response')) as [
          http.IncomingMessage,
        ]
        return { answer, body: Buffer.concat(await answer.toArray()) }
      }
      const plain = await read('identity')
      t.match(plain.answer.headers, { 'cache-control': /immutable/, 'content-type': /^text\/(javascript|css)/ })
      t.match(plain.answer.headers.vary, /accept-encoding/)
      const br = await read('gzip, deflate, br')
      t.equal(br.answer.headers['content-encoding'], 'br')
      t.ok(brotliDecompressSync(br.body).equals(plain.body))
      const gzip = await read('gzip;q=0.5, br;q=0')
      t.equal(gzip.answer.headers['content-encoding'], 'gzip')
      t.ok(gunzipSync(gzip.body).equals(plain.body))
    }
    t.equal((await fetchFrom(broker, '/assets/app-OLD.js')).status, 404)
    t.equal((await fetchFrom(broker, '/assets/sw.js')).status, 404)
    t.equal((await fetchFrom(broker, '/assets/..%2findex.html')).status, 404)
  })
})

t.test('a server has its own name, colour and picture, which cannot break the page', async (t) => {
  const dir = t.testdir({ 'logo.svg': LOGO })
  const server = { name: '"><script>alert(1)</script>', color: '#0b6e4f', logo: `${dir}/logo.svg` }
  const broker = await startTestBroker(t, { server })
  const { text } = await fetchFrom(broker, '/', { headers: BROWSER })
  t.notMatch(text, /<script>/)
  t.match(text, /data-color="#0b6e4f" data-logo="&#47;logo"|data-color="#0b6e4f" data-logo="\/logo"/)
  t.match((await fetchFrom(broker, '/v1/server')).body, { ...server, logo: '/logo' })
  const manifest = (language: string) =>
    fetchFrom(broker, '/manifest.webmanifest', { headers: { 'accept-language': language } })
  const { headers, body } = await manifest('zh-CN,en;q=0.5')
  t.match(headers.get('content-type'), 'application/manifest+json')
  t.match(body, { name: server.name, theme_color: '#0b6e4f', lang: 'zh', icons: [{ src: '/logo' }] })
  t.equal((await manifest('de')).body.lang, 'en')
  for (const { src } of body.icons) t.match(await fetchFrom(broker, src), { status: 200 }, src)
  const logo = await fetchFrom(broker, '/logo')
  t.equal(logo.text, LOGO)
  t.equal(logo.headers.get('content-type'), 'image/svg+xml')
  t.match(logo.headers.get('content-security-policy'), /default-src 'none'/)
})

t.test('a picture that cannot be shown is told at the start', async (t) => {
  const dir = t.testdir({ 'logo.exe': '', 'large.png': Buffer.alloc(300_000) })
  const start = (logo: string) => startTestBroker(t, { server: { logo } })
  await t.rejects(start(`${dir}/logo.exe`), { message: /server\.logo: a file of SVG/ })
  await t.rejects(start(`${dir}/none.png`), { message: /server\.logo: .*ENOENT/ })
  await t.rejects(start(`${dir}/large.png`), { message: /server\.logo: at most 256 kB/ })
})

t.test('its worker is asked for anew each time, and may do nothing but load from this server', async (t) => {
  const { text, headers } = await fetchFrom(await startTestBroker(t), '/sw.js')
  t.match(text, /\/assets\/app-/)
  t.match(headers.get('content-type'), /^text\/javascript/)
  t.equal(headers.get('cache-control'), 'no-cache')
  t.match(headers.get('content-security-policy'), /default-src 'none'; connect-src 'self'/)
})

t.test('one key switches it off', async (t) => {
  const broker = await startTestBroker(t, { web: { enabled: false } })
  t.match((await fetchFrom(broker, '/sw.js')).text, /unregister/, 'and takes it away from browsers')
  t.match((await fetchFrom(broker, '/', { headers: BROWSER })).text, /topictalk user add/)
  t.equal((await fetchFrom(broker, '/r/tea', { headers: BROWSER })).status, 404)
})

t.test('it is there over https', async (t) => {
  const tls = certificateFiles(t)
  const broker = await startTestBroker(t, { listen: { https: 0, tls } })
  const { url } = broker.running.listeners.find(({ name }) => name === 'https')!
  const [answer] = (await once(https.get(`${url}/`, { ca: CERTIFICATE, headers: BROWSER }), 'response')) as [
    http.IncomingMessage,
  ]
  t.match(String(Buffer.concat(await answer.toArray())), /id="app"/)
})

t.test('on the server of an application it is there if the application has no pages', async (t) => {
  const server = http.createServer()
  const config = completeConfig(
    { node: { dataDir: t.testdir() }, listen: { mqtt: null, http: null }, log: { level: 'silent' } },
    { portless: true },
  )
  const broker = await startBroker(config, { server })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    await broker.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/r/tea`, { headers: BROWSER })
  t.match(await answer.text(), /id="app"/)
})
