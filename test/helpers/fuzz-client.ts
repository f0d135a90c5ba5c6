/** Plays fuzz cases over TCP sockets, and keeps some connections open that never complete a packet. */
import { once } from 'node:events'
import net from 'node:net'
import type { Answer, FuzzCase } from './fuzz-cases.js'

/** Milliseconds in which the broker must answer, and close what the client closed. */
const PATIENCE = 15_000

export interface Outcome {
  /** The broker's fault; null: none. */
  readonly fault: string | null
  /** Whether the CONNECT was accepted. */
  readonly accepted: boolean
}

type Ports = Readonly<Record<'mqtt' | 'http', number>>

/** Sends the chunks of the case, and ends as it says. */
export async function play(ports: Ports, { chunks, awaits, door, ending }: FuzzCase): Promise<Outcome> {
  const client = new FuzzClient(ports[door], door === 'http')
  for (const chunk of chunks) if (!(await client.send(chunk))) break
  const silent = awaits !== null && (await client.isLate(() => client.closed || client.heard.has(awaits)))
  if (ending === 'cut') client.socket.destroy()
  else client.socket.end()
  const stuck = await client.isLate(() => client.closed)
  client.socket.destroy()
  const accepted = client.heard.has('accepted')
  if (client.refused) return { fault: 'the broker does not take connections', accepted }
  if (silent) return { fault: `no ${awaits} and no end within ${PATIENCE / 1000} s`, accepted }
  return { fault: stuck ? `the broker did not end the connection within ${PATIENCE / 1000} s` : null, accepted }
}

class FuzzClient {
  readonly socket: net.Socket
  readonly heard = new Set<Answer | 'accepted'>()
  closed = false
  refused = false
  readonly #web: boolean
  #progress = (): void => {}

  constructor(port: number, web: boolean) {
    this.#web = web
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.refused ||= error.code === 'ECONNREFUSED'))
    this.socket.on('data', (chunk: Buffer) => this.#listen(chunk))
    this.socket.on('drain', () => this.#progress())
    this.socket.on('close', () => {
      this.closed = true
      this.#progress()
    })
  }

  /** Returns false if nothing more can be sent. */
  async send(chunk: Buffer): Promise<boolean> {
    if (this.closed || !this.socket.writable) return false
    if (!this.socket.write(chunk)) await this.isLate(() => this.closed || !this.socket.writableNeedDrain)
    // Waits for the event loop, so that chunks are sent separately.
    await new Promise((resolve) => setImmediate(resolve))
    return true
  }

  /** Waits until `done` with a time limit. Returns true if it expired. */
  async isLate(done: () => boolean): Promise<boolean> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#progress()
    }, PATIENCE)
    while (!done() && !late) await new Promise<void>((resolve) => (this.#progress = resolve))
    clearTimeout(timer)
    return late
  }

  #listen(chunk: Buffer): void {
    const code = connackCode(chunk)
    // Over WebSocket a close frame also counts as an answer; other bytes that look like one only end the wait.
    const goodbye = this.#web && chunk.includes(0x88)
    if (code === 0) this.heard.add('accepted')
    if (code !== null || goodbye) this.heard.add('connack')
    if (chunk.includes(PINGRESP) || goodbye) this.heard.add('pingresp')
    this.#progress()
  }
}

const PINGRESP = Buffer.from('d000', 'hex')

/** The return code of a CONNACK anywhere in these bytes; nothing else the broker sends first looks like one. */
function connackCode(chunk: Buffer): number | null {
  for (let at = chunk.indexOf(0x20); at >= 0; at = chunk.indexOf(0x20, at + 1))
    if (chunk[at + 1]! >= 2 && chunk[at + 2]! <= 1) return chunk[at + 3] ?? null
  return null
}

/** A connection that sends `bytes`, whose last packet is incomplete, and stays open. Optionally reads nothing. */
export class Lingerer {
  readonly socket: net.Socket
  closed = false

  constructor(port: number, bytes: Buffer, reads = true) {
    this.socket = net.connect({ port, host: '127.0.0.1' })
    this.socket.on('error', () => {}).on('close', () => (this.closed = true))
    if (reads) this.socket.resume()
    this.socket.write(bytes)
  }

  async end(): Promise<void> {
    if (this.closed) return
    const closed = once(this.socket, 'close')
    this.socket.destroy()
    await closed
  }
}
