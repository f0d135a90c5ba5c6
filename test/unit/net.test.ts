import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { type ClientOptions, WebSocket } from 'ws'
import type { Accept, ByteStream } from '../../broker/net/byte-stream.js'
import { FrameSlicer } from '../../broker/net/frame-slicer.js'
import { type HttpOptions, listenHttp, listenHttps } from '../../broker/net/http.js'
import { HttpConnections, type HttpConnectionsOptions } from '../../broker/net/http-connections.js'
import { ListenError, type Listener } from '../../broker/net/listener.js'
import { Origins } from '../../broker/net/origins.js'
import type { Pinged } from '../../broker/net/pings.js'
import { parseProxyHeader } from '../../broker/net/proxy-protocol.js'
import { listenTcp } from '../../broker/net/tcp.js'
import { listenTls } from '../../broker/net/tls.js'
import { CERTIFICATE, certificateFiles } from '../helpers/certificate.js'
import { heldIntervals } from '../helpers/clock.js'

const LOCAL = { host: '127.0.0.1', port: 0 }

function connections(options: Partial<HttpConnectionsOptions> = {}): HttpConnections {
  const limits = { httpConnections: 100, httpConnectionsPerAddress: 100 }
  return new HttpConnections({ limits, answerTimeout: 30, idleTimeout: 75, refused: () => {}, ...options })
}

const WEB: HttpOptions = {
  ...LOCAL,
  wsPath: '/mqtt',
  connections: connections(),
  origins: new Origins([]),
  pageRefused: () => {},
  handler: { handle: (request, response) => response.end(`answered ${request.url}`), drain: async () => {} },
  wsPing: null,
}

/** Takes connections as the broker does, for a test to wait for. */
function acceptor() {
  const streams: ByteStream[] = []
  const arrivals = new EventEmitter()
  const accept: Accept = (stream) => {
    streams.push(stream)
    arrivals.emit('stream')
  }
  const next = async (): Promise<ByteStream> => {
    if (streams.length === 0) await once(arrivals, 'stream')
    return streams.shift()!
  }
  return { accept, next }
}

/** A listener and what it accepts, gone with the test. */
async function open(t: Test, start: (accept: Accept) => Promise<Listener>) {
  const { accept, next } = acceptor()
  const opened: ByteStream[] = []
  const listener = await start((stream, request) => {
    opened.push(stream)
    accept(stream, request)
  })
  t.teardown(async () => {
    for (const stream of opened) stream.destroy()
    await listener.close()
  })
  return { listener, next }
}

async function openWebSocket(t: Test, options: Partial<HttpOptions> = {}) {
  const { listener, next } = await open(t, (accept) => listenHttp({ ...WEB, ...options }, accept))
  const url = `${listener.url.replace('http', 'ws')}/mqtt`
  const connect = async (protocols: string | string[] = 'mqtt', client: ClientOptions = {}) => {
    const ws = new WebSocket(url, protocols, client)
    t.teardown(() => ws.terminate())
    await once(ws, 'open')
    return { ws, stream: await next() }
  }
  return { listener, url, next, connect }
}

/** The interval of pings, which passes when the test says so. To be made before the listener. */
function heldInterval(t: Test) {
  const intervals = heldIntervals(t)
  // Rounds of one interval, see Pings.
  const passes = (): void => intervals.turn(25)
  return {
    passes,
    /** Lets it pass, each time after `meanwhile`, until a client that is silent is pinged; resolves when its answer is there. */
    pinged: async (
      { ws, stream }: { ws: WebSocket; stream: ByteStream },
      meanwhile = async () => {},
    ): Promise<void> => {
      const peer = stream as unknown as Pinged
      const { received, ping } = peer
      const heard = once(ws, 'ping')
      let sent = false
      peer.ping = () => {
        sent = true
        ping.call(peer)
      }
      while (!sent) {
        await meanwhile()
        passes()
      }
      await heard
      while (peer.received === received) await new Promise(setImmediate)
    },
  }
}

/** Resolves at `close`, however it came to it. */
function close(stream: EventEmitter): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

/** The answer to an upgrade that is refused. */
async function refusal(url: string, protocols: string[], client: ClientOptions = {}) {
  const ws = new WebSocket(url, protocols, client)
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, http.IncomingMessage]
  return { status: response.statusCode, problem: JSON.parse(await text(response)) }
}

async function text(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function get(listener: Listener, path: string, headers: http.OutgoingHttpHeaders = {}) {
  const request = http.get({ host: LOCAL.host, port: listener.port, path, headers, agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

/** Resolves once `count` bytes have arrived. */
async function read(stream: EventEmitter, count: number): Promise<string> {
  return (await readBytes(stream, count)).toString()
}

async function readBytes(stream: EventEmitter, count: number): Promise<Buffer> {
  let seen = Buffer.alloc(0)
  await new Promise<void>((resolve) => {
    const take = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk])
      if (seen.length < count) return
      stream.off('data', take)
      resolve()
    }
    stream.on('data', take)
  })
  return seen
}

function connectTcp(t: Test, { port }: Listener): net.Socket {
  const socket = net.connect({ host: LOCAL.host, port }).on('error', () => {})
  t.teardown(() => socket.destroy())
  return socket
}

/** A client's binary frame of fewer than 126 bytes, masked with zeros. */
function frame(payload: string): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([Buffer.from([0x82, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

/** A WebSocket client whose bytes the test writes itself. */
async function connectByHand(t: Test, listener: Listener, target = '/mqtt'): Promise<net.Socket> {
  const socket = connectTcp(t, listener)
  socket.write(
    `GET ${target} HTTP/1.1\r\n` +
      'Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  )
  const [answer] = (await once(socket, 'data')) as [Buffer]
  if (!answer.includes(' 101 ')) throw new Error(answer.toString())
  return socket
}

/** A client's frame, masked. */
function masked(first: number, payload: Buffer, key: number): Buffer {
  const mask = Buffer.from([key, key * 3, key * 5, key * 7])
  const { length } = payload
  const header = length < 126 ? Buffer.from([first, 0x80 | length]) : Buffer.from([first, 0xfe, 0, 0])
  if (length >= 65_536) {
    const long = Buffer.alloc(10)
    long.set([first, 0xff])
    long.writeBigUInt64BE(BigInt(length), 2)
    return Buffer.concat([long, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)])
  }
  if (length >= 126) header.writeUInt16BE(length, 2)
  return Buffer.concat([header, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)])
}

/** The payloads of masked frames, which must all be whole messages of binary data. */
function unmasked(frames: Buffer): Buffer {
  const payloads: Buffer[] = []
  for (let at = 0; at < frames.length; ) {
    if (frames[at] !== 0x82) throw new Error(`a frame begins with ${frames[at]}`)
    const short = frames[at + 1]! & 0x7f
    const payload = at + (short === 126 ? 8 : 6)
    const length = short === 126 ? frames.readUInt16BE(at + 2) : short
    const mask = frames.subarray(payload - 4, payload)
    payloads.push(frames.subarray(payload, payload + length).map((byte, i) => byte ^ mask[i % 4]!) as Buffer)
    at = payload + length
  }
  return Buffer.concat(payloads)
}

t.test('TCP', async (t) => {
  t.test('a connection is handed over as it is, with its address', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTcp(LOCAL, accept))
    t.equal(listener.name, 'mqtt')
    t.equal(listener.url, `mqtt://127.0.0.1:${listener.port}`)
    connectTcp(t, listener).write('hello')
    const stream = await next()
    t.equal(stream.remoteAddress, '127.0.0.1')
    t.equal(await read(stream, 5), 'hello')
  })

  t.test('a port in use is one line that names the key', async (t) => {
    const { listener } = await open(t, (accept) => listenTcp(LOCAL, accept))
    const { port } = listener
    await t.rejects(
      listenTcp({ ...LOCAL, port }, () => {}),
      new ListenError(
        `listen.mqtt: port ${port} is already in use; stop the other program or set TOPICTALK_LISTEN_MQTT`,
      ),
    )
    await t.rejects(
      listenHttp({ ...WEB, port }, () => {}),
      { message: /^listen\.http: port .* TOPICTALK_LISTEN_HTTP$/ },
    )
  })

  t.test('a host that is not ours is one line that names the key', async (t) => {
    await t.rejects(
      listenTcp({ host: '192.0.2.1', port: 0 }, () => {}),
      { name: 'ListenError', message: /^listen\.host: 192\.0\.2\.1 is not an address of this machine/ },
    )
  })

  t.test('close frees the port and leaves open connections alone', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTcp(LOCAL, accept))
    const socket = connectTcp(t, listener)
    const stream = await next()
    await listener.close()
    const late = connectTcp(t, listener)
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    t.equal(error.code, 'ECONNREFUSED')
    stream.write(Buffer.from('still here'))
    t.equal(await read(socket, 10), 'still here')
  })

  t.test('a reset connection closes its stream and nothing else', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTcp(LOCAL, accept))
    const socket = connectTcp(t, listener)
    const stream = await next()
    stream.resume()
    const closed = close(stream)
    socket.resetAndDestroy()
    await closed
    connectTcp(t, listener)
    t.ok(await next())
  })
})

t.test('TLS', async (t) => {
  t.test('a connection is handed over once it is secure', async (t) => {
    const files = certificateFiles(t)
    const { listener, next } = await open(t, (accept) => listenTls({ ...LOCAL, tls: files }, accept))
    const socket = tls.connect({ host: 'localhost', port: listener.port, ca: CERTIFICATE })
    t.teardown(() => socket.destroy())
    socket.write('hello')
    t.equal(await read(await next(), 5), 'hello')
    t.equal(listener.url, `mqtts://127.0.0.1:${listener.port}`)
  })

  t.test('who comes back resumes its session, without the certificate being shown and signed for again', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTls({ ...LOCAL, tls: certificateFiles(t) }, accept))
    const connect = async (session?: Buffer) => {
      const socket = tls.connect({
        host: 'localhost',
        port: listener.port,
        ca: CERTIFICATE,
        ...(session && { session }),
      })
      t.teardown(() => socket.destroy())
      const tickets: Buffer[] = []
      const ticket = new Promise<void>((resolve) => {
        socket.on('session', (given: Buffer) => resolve(void tickets.push(given)))
      })
      const stream = await next()
      stream.write(Buffer.from('hello'))
      await once(socket, 'data')
      if (!session) await ticket
      return { resumed: socket.isSessionReused(), ticket: tickets[0] }
    }
    const first = await connect()
    t.notOk(first.resumed)
    t.ok((await connect(first.ticket)).resumed)
  })

  t.test('TLS 1.1 and plain text are turned away, and the listener goes on', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTls({ ...LOCAL, tls: certificateFiles(t) }, accept))
    const { port } = listener
    const old = { ca: CERTIFICATE, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const
    await t.rejects(once(tls.connect({ host: 'localhost', port, ...old }), 'secureConnect'))
    const plain = connectTcp(t, listener)
    plain.end('not TLS at all\r\n\r\n').resume()
    await close(plain)
    const socket = tls.connect({ host: 'localhost', port, ca: CERTIFICATE })
    t.teardown(() => socket.destroy())
    t.ok(await next())
  })

  t.test('a WebSocket over https is a byte stream too', async (t) => {
    const { listener, next } = await open(t, (accept) => listenHttps({ ...WEB, tls: certificateFiles(t) }, accept))
    const ws = new WebSocket(`wss://localhost:${listener.port}/mqtt`, 'mqtt', { ca: CERTIFICATE })
    t.teardown(() => ws.terminate())
    await once(ws, 'open')
    ws.send(Buffer.from('hello'))
    t.equal(await read(await next(), 5), 'hello')
  })

  t.test('https takes who says that it speaks MQTT as it is, and who speaks nothing there is told so', async (t) => {
    const { listener, next } = await open(t, (accept) => listenHttps({ ...WEB, tls: certificateFiles(t) }, accept))
    const dial = (ALPNProtocols: string[]): tls.TLSSocket => {
      const socket = tls.connect({ port: listener.port, host: LOCAL.host, rejectUnauthorized: false, ALPNProtocols })
      t.teardown(() => socket.destroy())
      return socket
    }
    const client = dial(['mqtt'])
    const stream = await next()
    client.write('mqtt as it is')
    t.equal(await read(stream, 13), 'mqtt as it is')
    const both = dial(['mqtt', 'http/1.1'])
    both.write('GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    t.match(await text(both), /answered \/x/, 'HTTP where both are offered')
    const [error] = (await once(dial(['other']), 'error')) as [NodeJS.ErrnoException]
    t.match(error.code, /NO_APPLICATION_PROTOCOL/)
  })

  t.test('files that are missing or useless are one line that names the key', async (t) => {
    const { cert, key } = certificateFiles(t)
    const listen = (files: { cert: string | null; key: string | null }) => listenTls({ ...LOCAL, tls: files }, () => {})
    await t.rejects(listen({ cert: null, key }), {
      message: 'listen.tls.cert: listen.mqtts needs a certificate and its key',
    })
    await t.rejects(listen({ cert, key: '/nowhere.pem' }), {
      message: 'listen.tls.key: cannot read /nowhere.pem: there is no such file',
    })
    await t.rejects(listen({ cert: key, key }), { name: 'ListenError', message: /^listen\.tls: / })
  })
})

t.test('WebSocket', async (t) => {
  t.test('frames are bytes, wherever they begin and end', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    for (const part of ['he', 'l', 'lo wor', 'ld']) ws.send(Buffer.from(part))
    t.equal(await read(stream, 11), 'hello world')
    t.equal(stream.remoteAddress, '127.0.0.1')
  })

  t.test('each write is one binary frame', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    const frames: unknown[] = []
    const both = new Promise<void>((resolve) => {
      ws.on('message', (data, isBinary) => frames.push([String(data), isBinary]) === 2 && resolve())
    })
    stream.write(Buffer.from('one'))
    stream.write(Buffer.from('two'))
    await both
    t.same(frames, [
      ['one', true],
      ['two', true],
    ])
  })

  t.test('a reader that stops is noticed, and drain follows when it goes on', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    ws.pause()
    const chunk = Buffer.alloc(256 * 1024)
    let sent = 0
    // The kernel takes some megabytes before anything waits here.
    do {
      t.notOk(stream.write(chunk), 'a write beyond the high-water mark says so')
      sent += chunk.length
      await new Promise(setImmediate)
    } while (stream.writableLength === 0)
    t.ok(stream.writableLength <= sent)
    const drained = once(stream, 'drain')
    const received = new Promise<void>((resolve) => {
      let bytes = 0
      ws.on('message', (data: Buffer) => (bytes += data.length) === sent && resolve())
    })
    ws.resume()
    await drained
    await received
    t.equal(stream.writableLength, 0)
  })

  t.test('pause holds back the frames that have arrived, resume gives them in order', async (t) => {
    const { listener, next } = await openWebSocket(t)
    const client = await connectByHand(t, listener)
    const stream = await next()
    const seen: string[] = []
    const all = new Promise<void>((resolve) => {
      stream.on('data', (data: Buffer) => {
        seen.push(String(data))
        stream.pause()
        setImmediate(() => {
          t.equal(seen.at(-1), String(data), 'nothing arrives while paused')
          stream.resume()
          if (seen.length === 4) resolve()
        })
      })
    })
    client.write(Buffer.concat([frame('a'), frame('b'), frame('c')]))
    client.write(frame('d'))
    await all
    t.same(seen, ['a', 'b', 'c', 'd'])
  })

  t.test('a text frame closes with 1003 [MQTT-6.0.0-1, MQTT5-6.0.0-1]', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    stream.on('data', () => t.fail('a text frame is no data'))
    const closed = close(stream)
    ws.send('hello')
    ws.send(Buffer.from('too late'))
    const [code] = await once(ws, 'close')
    t.equal(code, 1003)
    await closed
  })

  t.test('end sends what is queued and closes with 1000', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    stream.on('data', () => t.fail('after end nothing is for us'))
    const closed = close(stream)
    let bytes = 0
    ws.on('message', (data: Buffer) => (bytes += data.length))
    stream.write(Buffer.alloc(1_000_000))
    stream.end()
    ws.send(Buffer.from('late'))
    const [code] = await once(ws, 'close')
    t.equal(code, 1000)
    t.equal(bytes, 1_000_000)
    await closed
    t.ok(stream.destroyed)
    t.equal(stream.write(Buffer.from('x')), false)
  })

  t.test('destroy closes at once', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    const closed = close(stream)
    stream.destroy(new Error('enough'))
    t.ok(stream.destroyed)
    const [code] = await once(ws, 'close')
    t.equal(code, 1006)
    await closed
  })

  t.test('the stream ends when the client closes or is lost', async (t) => {
    const { connect } = await openWebSocket(t)
    const polite = await connect()
    const ended = Promise.all([once(polite.stream, 'end'), close(polite.stream)])
    polite.ws.close(1000)
    await ended
    const lost = await connect()
    const closed = close(lost.stream)
    lost.ws.terminate()
    await closed
  })

  t.test('a frame of any length is read as it comes [MQTT-6.0.0-2, MQTT5-6.0.0-2]', async (t) => {
    const { listener, next } = await openWebSocket(t)
    const client = await connectByHand(t, listener)
    const stream = await next()
    const payload = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) & 0xff))
    const mask = Buffer.from([1, 2, 3, 4])
    const length = Buffer.alloc(8)
    // It says it has a terabyte more, which nobody has to wait for.
    length.writeBigUInt64BE(2n ** 40n)
    client.write(
      Buffer.concat([Buffer.from([0x82, 0xff]), length, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)]),
    )
    const seen = Buffer.from(await readBytes(stream, payload.length))
    t.ok(seen.equals(payload), 'what has come is given out')
    client.destroy()
    await close(stream)
  })

  t.test('a message in fragments is bytes too, and control frames may come between them', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    const pong = once(ws, 'pong')
    ws.send(Buffer.from('a'), { fin: false })
    t.equal(await read(stream, 1), 'a', 'before the last of them')
    ws.ping()
    await pong
    ws.send(Buffer.from('b'), { fin: false })
    ws.send(Buffer.from('c'))
    ws.send(Buffer.from('d'))
    t.equal(await read(stream, 3), 'bcd')
  })

  t.test('frames are the same wherever the bytes of the client are cut', async (t) => {
    for (const size of [1, 2, 3, 7, 100, 1000, 100_000]) {
      const { listener, next } = await openWebSocket(t)
      const client = await connectByHand(t, listener)
      const stream = await next()
      const frames = [1, 125, 126, 300, 65_536].map((length, i) => masked(0x82, Buffer.alloc(length, 97 + i), i))
      const bytes = Buffer.concat([
        ...frames,
        masked(0x89, Buffer.from('ping'), 9),
        masked(0x82, Buffer.from('end'), 5),
      ])
      const all = 1 + 125 + 126 + 300 + 65_536 + 3
      const seen = read(stream, all)
      if (size < 100) for (let at = 0; at < 600; at += size) client.write(bytes.subarray(at, Math.min(600, at + size)))
      for (let at = size < 100 ? 600 : 0; at < bytes.length; at += 1000) client.write(bytes.subarray(at, at + 1000))
      t.equal((await seen).length, all, `${size} at a time`)
    }
  })

  t.test('what breaks the rules of frames still closes: 1002', async (t) => {
    const cases: Record<string, Buffer[]> = {
      'no mask': [Buffer.from([0x82, 1, 97])],
      'a continuation of nothing': [masked(0x80, Buffer.from('a'), 1)],
      'a message within a message': [masked(0x02, Buffer.from('a'), 1), masked(0x82, Buffer.from('b'), 1)],
      'reserved bits, as of what is compressed': [masked(0xc2, Buffer.from('a'), 1)],
      'an opcode there is not': [masked(0x83, Buffer.from('a'), 1)],
      'a long ping': [masked(0x89, Buffer.alloc(126), 1)],
    }
    for (const [name, frames] of Object.entries(cases)) {
      const { listener, next } = await openWebSocket(t)
      const client = await connectByHand(t, listener)
      const stream = await next()
      stream.on('error', () => {})
      const closed = close(stream)
      client.write(Buffer.concat(frames))
      const [answer] = (await once(client, 'data')) as [Buffer]
      t.same([answer[0], answer.readUInt16BE(2)], [0x88, 1002], name)
      await closed
    }
  })

  t.test('pieces of a frame that is cut anywhere are the frame', (t) => {
    const payload = Buffer.from(Array.from({ length: 500 }, (_, i) => i & 0xff))
    const bytes = Buffer.concat([masked(0x02, payload, 3), masked(0x80, payload, 4), masked(0x82, payload, 5)])
    for (let size = 1; size < 40; size++) {
      const out: Buffer[] = []
      const slicer = new FrameSlicer((piece) => out.push(Buffer.from(piece)))
      for (let at = 0; at < bytes.length; at += size) slicer.push(Buffer.from(bytes.subarray(at, at + size)))
      t.ok(unmasked(Buffer.concat(out)).equals(Buffer.concat([payload, payload, payload])), `${size} at a time`)
    }
    t.end()
  })

  t.test('who is not read when it ends is closed as soon as the other side answers', async (t) => {
    const { connect } = await openWebSocket(t)
    const { ws, stream } = await connect()
    const closed = close(stream)
    stream.pause()
    stream.end()
    stream.pause()
    const [code] = await once(ws, 'close')
    t.equal(code, 1000)
    await closed
  })

  t.test('a client that does not answer its ping is cut off', async (t) => {
    const { connect } = await openWebSocket(t, { wsPing: 0.05 })
    const mute = await connect('mqtt', { autoPong: false })
    const gone = close(mute.stream)
    await once(mute.ws, 'ping')
    const [code] = await once(mute.ws, 'close')
    t.equal(code, 1006)
    await gone
  })

  t.test('a silent client is pinged, and stays when it answers', async (t) => {
    const interval = heldInterval(t)
    const { connect } = await openWebSocket(t, { wsPing: 1 })
    const answering = await connect()
    for (let pings = 0; pings < 3; pings++) await interval.pinged(answering)
    t.equal(answering.ws.readyState, WebSocket.OPEN)
  })

  t.test('any data counts as life: a client that talks is not pinged', async (t) => {
    const interval = heldInterval(t)
    const { connect } = await openWebSocket(t, { wsPing: 1 })
    const silent = await connect()
    const talking = await connect('mqtt', { autoPong: false })
    talking.ws.on('ping', () => t.fail('it talks'))
    const talks = async (): Promise<void> => {
      const read = once(talking.stream, 'data')
      talking.ws.send(Buffer.from('x'))
      await read
    }
    for (let pings = 0; pings < 3; pings++) await interval.pinged(silent, talks)
    t.equal(talking.ws.readyState, WebSocket.OPEN)
  })

  t.test('a client that is not read is not blamed for its silence', async (t) => {
    const interval = heldInterval(t)
    const { connect } = await openWebSocket(t, { wsPing: 1 })
    const silent = await connect()
    const held = await connect('mqtt', { autoPong: false })
    held.stream.pause()
    for (let pings = 0; pings < 3; pings++) await interval.pinged(silent)
    t.equal(held.ws.readyState, WebSocket.OPEN)
    held.stream.resume()
    const closed = once(held.ws, 'close')
    for (let intervals = 0; intervals < 3; intervals++) interval.passes()
    await closed
  })

  t.test('pings go over https too', async (t) => {
    const interval = heldInterval(t)
    const { listener, next } = await open(t, (accept) =>
      listenHttps({ ...WEB, wsPing: 1, tls: certificateFiles(t) }, accept),
    )
    const ws = new WebSocket(`${listener.url.replace('https', 'wss')}/mqtt`, 'mqtt', { rejectUnauthorized: false })
    t.teardown(() => ws.terminate())
    const stream = await next()
    for (let pings = 0; pings < 3; pings++) await interval.pinged({ ws, stream })
    t.equal(ws.readyState, WebSocket.OPEN, 'its pongs were seen')
  })

  t.test(
    'the subprotocol is mqtt if it is offered [MQTT-6.0.0-3, MQTT-6.0.0-4, MQTT5-6.0.0-3, MQTT5-6.0.0-4]',
    async (t) => {
      const { connect } = await openWebSocket(t)
      const offers: [offered: string[], taken: string][] = [
        [['chat', 'mqttv3.1', 'mqtt'], 'mqtt'],
        [['mqttv3.1'], 'mqttv3.1'],
        [['chat', 'mqtt-v3.1.1'], 'mqtt-v3.1.1'],
        [['mqttv5'], 'mqttv5'],
        [['arduino'], 'arduino'],
        [[], ''],
      ]
      for (const [offered, taken] of offers) t.equal((await connect(offered)).ws.protocol, taken, offered.join())
    },
  )

  t.test('the path may end with a slash, and the target may be a whole address', async (t) => {
    const { listener } = await openWebSocket(t)
    for (const target of [
      '/mqtt',
      '/mqtt/',
      '/mqtt?x=/y',
      '/mqtt/?x',
      'http://x/mqtt',
      'http://x:80/mqtt/?a=b',
      'WS://x/mqtt',
    ])
      await connectByHand(t, listener, target)
    for (const target of ['http://x', '/', '/mqtt//', '/other/mqtt', 'http://mqtt/'])
      await t.rejects(connectByHand(t, listener, target), /404/, target)
  })

  t.test('only pages of here and of listed origins may connect, and clients that have none', async (t) => {
    const origin = 'https://chat.example.com'
    const told: string[] = []
    const strange = (page: string) => void told.push(page)
    const { connect, url } = await openWebSocket(t, { origins: new Origins([origin]), pageRefused: strange })
    await connect('mqtt', { origin })
    await connect('mqtt', { origin: new URL(url).origin.replace('ws', 'http') })
    await connect('mqtt')
    const others = ['https://evil.example.com', 'null', 'file://', 'capacitor://localhost', 'http://127.0.0.1:1']
    for (const other of others) {
      const { status, problem } = await refusal(url, ['mqtt'], { origin: other })
      t.equal(status, 403)
      t.equal(problem.code, 'forbidden')
      t.match(problem.detail, `pages of ${other} may do nothing here; listen.origins lists`)
    }
    t.same(told, others)
    const open = await openWebSocket(t, { origins: new Origins(['*']) })
    await open.connect('mqtt', { origin: 'null' })
  })

  t.test('a name that leads to this machine is no page of here', async (t) => {
    const { connect, url } = await openWebSocket(t)
    const { port } = new URL(url)
    const from = (host: string) => ({ origin: `http://${host}`, headers: { host } })
    await connect('mqtt', from(`localhost:${port}`))
    t.equal((await refusal(url, ['mqtt'], from(`rebound.example.com:${port}`))).status, 403)
    const proxied = { headers: { host: 'chat.example.com', 'sec-fetch-site': 'same-origin' } }
    await connect('mqtt', { ...proxied, origin: 'https://chat.example.com' })
  })

  t.test('another path is not found', async (t) => {
    const { url } = await openWebSocket(t)
    const { status, problem } = await refusal(`${url}/other`, ['mqtt'])
    t.equal(status, 404)
    t.match(problem.detail, /at \/mqtt$/)
  })
})

t.test('connections of HTTP', async (t) => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: here\r\n\r\n`
  const connect = (t: Test, { listener }: { listener: Listener }) => {
    const at = { host: '127.0.0.1', port: listener.port }
    const socket =
      listener.name === 'https' ? tls.connect({ ...at, rejectUnauthorized: false }) : net.connect({ ...at })
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    return socket
  }
  const openHttp = (t: Test, options: Partial<HttpOptions>) =>
    open(t, (accept) => listenHttp({ ...WEB, ...options }, accept))
  const both = async (t: Test, options: () => HttpOptions) => [
    await open(t, (accept) => listenHttp(options(), accept)),
    await open(t, (accept) => listenHttps({ ...options(), tls: certificateFiles(t) }, accept)),
  ]

  t.test(
    'requests of one connection are answered one after another; too many that wait, of all, end some',
    async (t) => {
      const asked = new EventEmitter()
      const handle = (request: http.IncomingMessage, response: http.ServerResponse) =>
        void asked.emit('request', request.url, response)
      const opened = await openHttp(t, { connections: connections(), handler: { handle, drain: async () => {} } })
      const seen: string[] = []
      asked.on('request', (url) => seen.push(url))
      const socket = connect(t, opened)
      socket.write(['/1', '/2', '/3'].map(get).join(''))
      for (const url of ['/1', '/2', '/3']) {
        const [, response] = await once(asked, 'request')
        t.equal(seen.at(-1), url)
        response.end(url)
      }
      t.same(seen, ['/1', '/2', '/3'])
      const greedy = Array.from({ length: 12 }, () => connect(t, opened))
      for (const one of greedy) one.resume().write(get('/more').repeat(1900))
      await Promise.race(greedy.map((one) => once(one, 'close')))
      t.ok(seen.length <= 3 + greedy.length, 'of those that waited none was begun')
      t.notOk(greedy.every(({ destroyed }) => destroyed))
      socket.write(['/4', '/5'].map(get).join(''))
      for (const url of ['/4', '/5']) {
        const [, response] = await once(asked, 'request')
        t.equal(seen.at(-1), url)
        response.end(url)
      }
    },
  )

  t.test('connections beyond the limits are told so, and a WebSocket is none', async (t) => {
    for (const limits of [
      { httpConnections: 1, httpConnectionsPerAddress: 9 },
      { httpConnections: 9, httpConnectionsPerAddress: 1 },
    ]) {
      const told: string[] = []
      const refused = (limit: string, address: string) => void told.push(`${limit} ${address}`)
      const opened = await openHttp(t, { connections: connections({ limits, refused }) })
      const ws = new WebSocket(`${opened.listener.url.replace('http', 'ws')}/mqtt`, 'mqtt')
      t.teardown(() => ws.terminate())
      await once(ws, 'open')
      const first = connect(t, opened)
      first.write(get('/'))
      t.match(String((await once(first, 'data'))[0]), /^HTTP\/1\.1 200/)
      const second = connect(t, opened)
      t.match(String((await once(second, 'data'))[0]), /^HTTP\/1\.1 503 .*too many connections/s)
      await once(second.resume(), 'close')
      t.equal(told.length, 1)
      t.match(told[0], /^limits\.httpConnections(PerAddress)? 127\.0\.0\.1$/)
      first.destroy()
      let answer = ''
      // The broker may notice a moment later that the first one went.
      while (!answer.startsWith('HTTP/1.1 200')) {
        const third = connect(t, opened)
        third.write(get('/'))
        answer = String((await once(third, 'data'))[0])
      }
    }
  })

  t.test('an idle connection stands as long as its client is told', async (t) => {
    for (const one of await both(t, () => ({ ...WEB, connections: connections({ idleTimeout: 1 }) }))) {
      const client = connect(t, one)
      client.write(get('/'))
      t.match(String((await once(client, 'data'))[0]), /^Keep-Alive: timeout=1\r$/m)
      const answered = performance.now()
      await once(client.resume(), 'close')
      t.ok(performance.now() - answered > 990)
    }
  })

  t.test('a request that came in time is answered, however busy the process was', async (t) => {
    for (const one of await both(t, () => ({ ...WEB, connections: connections({ idleTimeout: 0.1 }) }))) {
      const client = connect(t, one)
      client.write(get('/first'))
      t.match(String((await once(client, 'data'))[0]), /answered \/first/)
      await new Promise<void>((resolve) => client.write(get('/second'), () => resolve()))
      // Node gives an idle connection a second more than it says.
      for (const until = performance.now() + 1500; performance.now() < until; );
      t.match(String((await once(client, 'data'))[0]), /answered \/second/)
    }
  })

  t.test('where half the room is taken answers say that their connection ends', async (t) => {
    for (const limits of [
      { httpConnections: 4, httpConnectionsPerAddress: 100 },
      { httpConnections: 100, httpConnectionsPerAddress: 4 },
    ]) {
      const [one] = await both(t, () => ({ ...WEB, connections: connections({ limits }) }))
      const says: boolean[] = []
      let client = connect(t, one!)
      for (let i = 0; i < 3; i++) {
        if (i > 0) client = connect(t, one!)
        client.write(get('/'))
        says.push(/^Connection: close\r$/im.test(String((await once(client, 'data'))[0])))
      }
      t.same(says, [false, false, true])
      await once(client.resume(), 'close')
    }
  })

  t.test('many requests at once on one connection are answered in turn', async (t) => {
    for (const one of await both(t, () => ({ ...WEB, connections: connections() }))) {
      const client = connect(t, one)
      client.write(Array.from({ length: 300 }, (_, i) => get(`/${i}`)).join(''))
      let text = ''
      client.on('data', (chunk) => {
        text += chunk
      })
      while (!text.includes('answered /299')) await once(client, 'data')
      t.same(
        text.match(/(?<=answered \/)\d+/g),
        Array.from({ length: 300 }, (_, i) => String(i)),
      )
    }
  })

  t.test('an answer that nobody reads is cut off, one that is worked out is not', async (t) => {
    const begun = new EventEmitter()
    let tell = (): void => {}
    const handler = {
      handle: (request: http.IncomingMessage, response: http.ServerResponse) => {
        if (request.url === '/slow') tell = () => response.end('at last')
        else response.end(Buffer.alloc(50_000_000))
        begun.emit('request', request)
      },
      drain: async () => {},
    }
    for (const one of await both(t, () => ({ ...WEB, connections: connections({ answerTimeout: 0.1 }), handler }))) {
      const patient = connect(t, one)
      patient.write(get('/slow'))
      await once(begun, 'request')
      const reader = connect(t, one)
      reader.pause()
      reader.write(get('/large'))
      const [{ socket }] = await once(begun, 'request')
      await once(socket, 'close')
      tell()
      t.match(String((await once(patient, 'data'))[0]), /at last/)
    }
  })
})

t.test('PROXY protocol', async (t) => {
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
  const v2 = (command: number, family: number, block: Buffer) =>
    Buffer.concat([signature, Buffer.from([0x20 | command, family, block.length >> 8, block.length & 0xff]), block])
  const ipv4 = Buffer.from([203, 0, 113, 7, 10, 0, 0, 1, 0x9c, 0x40, 0x07, 0x5b])
  const ipv6 = Buffer.concat([
    Buffer.from('20010db8000000000000000000000042', 'hex'),
    Buffer.alloc(16),
    Buffer.from([0, 1, 0, 2]),
  ])

  t.test('headers of both versions name the client', async (t) => {
    const headers: [Buffer, string | null][] = [
      [Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 40000 1883\r\n'), '203.0.113.7'],
      [Buffer.from('PROXY TCP6 2001:db8::42 ::1 40000 1883\r\n'), '2001:db8::42'],
      [Buffer.from('PROXY UNKNOWN\r\n'), null],
      [Buffer.from('PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n'), null],
      [v2(1, 0x11, ipv4), '203.0.113.7'],
      [v2(1, 0x11, Buffer.concat([ipv4, Buffer.from([0x04, 0, 1, 0])])), '203.0.113.7'],
      [v2(1, 0x21, ipv6), '2001:db8::42'],
      [v2(1, 0x00, Buffer.alloc(0)), null],
      [v2(0, 0x00, Buffer.alloc(0)), null],
      [v2(1, 0x31, Buffer.alloc(216)), null],
    ]
    for (const [header, address] of headers) {
      const followed = Buffer.concat([header, Buffer.from('\x10\x0c')])
      t.same(parseProxyHeader(followed), { kind: 'header', length: header.length, address })
      for (let length = 0; length < header.length; length++)
        t.equal(parseProxyHeader(header.subarray(0, length)).kind, 'incomplete')
    }
  })

  const malformed = [
    Buffer.from('\x10\x0c\x00\x04MQTT'),
    Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 40000\r\n'),
    Buffer.from('PROXY TCP4 2001:db8::42 ::1 40000 1883\r\n'),
    Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 40000 99999\r\n'),
    Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 40000 1883 more\r\n'),
    Buffer.from('PROXY UDP4 203.0.113.7 10.0.0.1 40000 1883\r\n'),
    Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`),
    v2(2, 0x11, ipv4),
    v2(1, 0x41, ipv4),
    v2(1, 0x11, ipv4.subarray(0, 8)),
    v2(1, 0x11, Buffer.alloc(4096)),
    Buffer.concat([signature, Buffer.from([0x11, 0x11, 0, 12]), ipv4]),
  ]

  t.test('malformed headers are told apart from incomplete ones', async (t) => {
    for (const header of malformed) t.equal(parseProxyHeader(header).kind, 'malformed', header.toString('latin1'))
  })

  t.test('a header in pieces is taken off, and the bytes behind it are not lost', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTcp({ ...LOCAL, proxyProtocol: true }, accept))
    const socket = connectTcp(t, listener)
    await once(socket, 'connect')
    socket.write('PROXY TCP4 203.0.113.7 10.')
    await new Promise(setImmediate)
    socket.write('0.0.1 40000 1883\r\nhello')
    const stream = await next()
    t.equal(stream.remoteAddress, '203.0.113.7')
    socket.write(' world')
    t.equal(await read(stream, 11), 'hello world')
  })

  t.test('a connection without a valid header is dropped, and the listener goes on', async (t) => {
    const { listener, next } = await open(t, (accept) => listenTcp({ ...LOCAL, proxyProtocol: true }, accept))
    for (const header of malformed) {
      const socket = connectTcp(t, listener)
      socket.write(header)
      await close(socket.resume())
    }
    connectTcp(t, listener).write(v2(1, 0x21, ipv6))
    t.equal((await next()).remoteAddress, '2001:db8::42')
  })

  t.test('close drops who has not sent a header', async (t) => {
    const { listener } = await open(t, (accept) => listenTcp({ ...LOCAL, proxyProtocol: true }, accept))
    const socket = connectTcp(t, listener)
    socket.write('PROXY ')
    await once(socket, 'connect')
    const closed = close(socket.resume())
    await listener.close()
    await closed
  })

  t.test('it stands in front of TLS', async (t) => {
    const options = { ...LOCAL, tls: certificateFiles(t), proxyProtocol: true }
    const { listener, next } = await open(t, (accept) => listenTls(options, accept))
    const raw = connectTcp(t, listener)
    raw.write(v2(1, 0x11, ipv4))
    const socket = tls.connect({ socket: raw, servername: 'localhost', ca: CERTIFICATE })
    socket.write('hello')
    const stream = await next()
    t.equal(stream.remoteAddress, '203.0.113.7')
    t.equal(await read(stream, 5), 'hello')
  })

  t.test('it stands in front of WebSocket, plain and over TLS', async (t) => {
    const options = { ...WEB, tls: certificateFiles(t), proxyProtocol: true }
    const plain = await open(t, (accept) => listenHttp(options, accept))
    const secure = await open(t, (accept) => listenHttps(options, accept))
    const createConnection = (listener: Listener) => () => {
      const raw = connectTcp(t, listener)
      raw.write('PROXY TCP4 203.0.113.7 10.0.0.1 40000 1883\r\n')
      return listener.name === 'http' ? raw : tls.connect({ socket: raw, servername: 'localhost', ca: CERTIFICATE })
    }
    for (const { listener, next } of [plain, secure]) {
      const url = `${listener.url.replace('http', 'ws')}/mqtt`
      const ws = new WebSocket(url, 'mqtt', { createConnection: createConnection(listener) })
      t.teardown(() => ws.terminate())
      await once(ws, 'open')
      ws.send(Buffer.from('hello'))
      const stream = await next()
      t.equal(stream.remoteAddress, '203.0.113.7')
      t.equal(await read(stream, 5), 'hello')
    }
  })
})

t.test('HTTP', async (t) => {
  t.test('what is no upgrade goes to the handler, which has its time when the listener closes', async (t) => {
    let finish = (): void => {}
    const drained = new Promise<void>((resolve) => (finish = resolve))
    const held = new EventEmitter()
    const handler: HttpOptions['handler'] = {
      handle: (request, response) => {
        if (request.url === '/slow') held.emit('request', response)
        else response.end(`answered ${request.url}`)
      },
      drain: () => drained,
    }
    const { listener } = await openWebSocket(t, { handler })
    t.match(await get(listener, '/somewhere?x=1'), { status: 200, body: 'answered /somewhere?x=1' })
    const slow = get(listener, '/slow')
    const [response] = (await once(held, 'request')) as [http.ServerResponse]
    const closed = listener.close()
    response.end('late')
    t.equal((await slow).body, 'late')
    finish()
    await closed
  })

  t.test('what is no HTTP is answered and dropped', async (t) => {
    const { listener } = await openWebSocket(t)
    const socket = connectTcp(t, listener)
    socket.write(Buffer.from('\x10\x0c\x00\x04MQTT\x04\x02\x00<\x00\x00'))
    t.match(await text(socket), /^HTTP\/1\.1 400 /)
    t.equal((await get(listener, '/healthz')).status, 200)
  })
})
