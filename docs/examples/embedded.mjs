// An application that runs the broker in its own process: `node docs/examples/embedded.mjs`. See docs/embedding.md.
//
// PORT (default 8080) is the application's HTTP server, with the broker's HTTP and MQTT over WebSocket on it; MQTT_PORT (1883) is plain MQTT.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { completeConfig, startBroker } from 'topictalk'

const { PORT = '8080', MQTT_PORT = '1883', DATA_DIR = './data', JWT_SECRET = 'a secret of at least 32 characters' } = process.env

// The application's own server. It knows its users; for the broker it signs tokens of theirs.
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  const answer = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (pathname === '/login') answer(200, { token: signToken(searchParams.get('user')) })
  else if (pathname === '/online') answer(200, { online: online() })
  else answer(404, { error: `nothing at ${pathname}` })
})

/** A JWT (HS256), as any library makes it. */
function signToken(user) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 3600
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, exp })}`
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`
}

// A configuration is what stands in config.yaml; what is left out has its default, and what is unknown is an error.
const config = completeConfig({
  node: { dataDir: DATA_DIR },
  listen: { mqtt: Number(MQTT_PORT), http: null },
  auth: { jwt: { secret: JWT_SECRET }, registration: 'closed' },
  rooms: { list: [{ id: 'lobby', access: 'public' }] },
  log: { level: 'warn' },
})

const broker = await startBroker(config, {
  server,
  // Hooks can only refuse what the broker would allow.
  hooks: { authorizePublish: ({ payload }) => payload.length <= 1024 },
})

/** A plugin of Aedes: a function that is given the broker and listens to its events. */
function countClients(aedes) {
  let count = 0
  aedes.on('clientReady', () => count++)
  aedes.on('clientDisconnect', () => count--)
  return () => count
}
const online = countClients(broker.aedes)

await new Promise((resolve) => server.listen(Number(PORT), '127.0.0.1', resolve))
const http = `127.0.0.1:${server.address().port}`
const mqtt = broker.listeners.find(({ name }) => name === 'mqtt').url
console.log(JSON.stringify({ mqtt, ws: `ws://${http}${config.listen.wsPath}`, http: `http://${http}` }))

// Clients are told, sessions are saved, the store is closed; then nothing is left that keeps the process.
async function stop() {
  await broker.close()
  server.close()
  server.closeAllConnections()
}
process.once('SIGINT', stop).once('SIGTERM', stop)
