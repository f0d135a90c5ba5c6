/**
 * The load: a process of its own, all members of a cell on raw sockets. It does as little as it can for a message, so that the broker is
 * what is measured: publishes are bytes made beforehand, what arrives is counted frame by frame, and acks leave once per chunk read.
 */
import { once } from 'node:events'
import net from 'node:net'
import { type Cell, PAYLOAD, topicOf, userOf } from './cells.js'

export interface LoadOptions {
  readonly port: number
  readonly cell: Cell
  /** Passwords by user; null: no login. */
  readonly passwords: Record<string, string> | null
}

export type LoadCommand = { start: LoadOptions } | 'publish' | 'sample'

export interface LoadSample {
  deliveries: number
  published: number
  /** Seconds of CPU of this process. */
  cpu: number
}

export type LoadReport = 'ready' | LoadSample

const CONNACK = 2
const PUBLISH = 3
const SUBACK = 9
const READ_BYTES = 65536
/** Handshakes under way at a time: a login storm is another benchmark. */
const CONNECTING = 50

const totals = { deliveries: 0, published: 0 }
/** One for all sockets: a chunk is done with before the next one is read. */
const chunk = Buffer.allocUnsafe(READ_BYTES)

function publishFrame(topic: string, qos: 0 | 1): Buffer {
  const name = Buffer.from(topic)
  const length = 2 + name.length + (qos > 0 ? 2 : 0) + PAYLOAD.length
  if (length > 127) throw new Error('the length of a publish is one byte here')
  const head = Buffer.from([(PUBLISH << 4) | (qos << 1), length, 0, name.length])
  return Buffer.concat([head, name, Buffer.alloc(qos > 0 ? 2 : 0), Buffer.from(PAYLOAD)])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function packet(header: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7]
  return Buffer.concat([Buffer.from([header, ...length]), body])
}

/** One member of one room, MQTT 3.1.1, clean session. */
class Member {
  readonly #socket: net.Socket
  readonly #topic: string
  readonly #qos: 0 | 1
  readonly #frame: Buffer
  /** Start of a frame whose end has not arrived. */
  #rest: Buffer | null = null
  #acks = Buffer.allocUnsafe(4096)
  #packetId = 0
  #answered = (_type: number): void => {}
  /** Told of how many messages a chunk brought. */
  received: ((count: number) => void) | null = null

  constructor(port: number, topic: string, qos: 0 | 1) {
    this.#topic = topic
    this.#qos = qos
    this.#frame = publishFrame(topic, qos)
    const onread = {
      buffer: chunk,
      callback: (bytes: number) => {
        this.#read(chunk, bytes)
        return true
      },
    }
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.on('close', () => fail(new Error(`a connection of ${topic} was closed`)))
    this.#socket.on('error', fail)
  }

  async join(user: string, password: string | null): Promise<void> {
    await once(this.#socket, 'connect')
    const flags = 0x02 | (password === null ? 0 : 0xc0)
    const head = Buffer.concat([text('MQTT'), Buffer.from([4, flags, 0, 0])])
    const login = password === null ? [] : [text(user), text(password)]
    await this.#ask(packet(0x10, head, text(user), ...login), CONNACK)
    await this.#ask(packet(0x82, Buffer.from([0, 1]), text(this.#topic), Buffer.from([this.#qos])), SUBACK)
  }

  publish(count: number): void {
    totals.published += count
    const size = this.#frame.length
    const bytes = Buffer.allocUnsafe(count * size)
    for (let i = 0; i < count; i++) {
      this.#frame.copy(bytes, i * size)
      if (this.#qos > 0) {
        this.#packetId = this.#packetId === 65535 ? 1 : this.#packetId + 1
        bytes.writeUInt16BE(this.#packetId, i * size + 4 + bytes[i * size + 3]!)
      }
    }
    this.#socket.write(bytes)
  }

  #ask(bytes: Buffer, answer: number): Promise<void> {
    return new Promise((resolve) => {
      this.#answered = (type) => type === answer && resolve()
      this.#socket.write(bytes)
    })
  }

  #read(bytes: Buffer, length: number): void {
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, bytes.subarray(0, length)])
      length = bytes.length
      this.#rest = null
    }
    let deliveries = 0
    let acks = 0
    let at = 0
    while (at < length) {
      let size = 0
      let body = at + 1
      for (let shift = 0; body < length; shift += 7) {
        const byte = bytes[body++]!
        size += (byte & 0x7f) << shift
        if (byte < 0x80) {
          shift = -1
          break
        }
      }
      const end = body + size
      if (end > length || bytes[body - 1]! >= 0x80 || body === at + 1) break
      const type = bytes[at]! >> 4
      if (type === PUBLISH) {
        deliveries++
        if (bytes[at]! & 0x06) this.#acknowledge(acks++, bytes, body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!))
      } else this.#answered(type)
      at = end
    }
    if (at < length) this.#rest = Buffer.from(bytes.subarray(at, length))
    if (acks > 0) this.#socket.write(Buffer.from(this.#acks.subarray(0, 4 * acks)))
    if (deliveries === 0) return
    totals.deliveries += deliveries
    this.received?.(deliveries)
  }

  #acknowledge(place: number, bytes: Buffer, idAt: number): void {
    if (this.#acks.length < 4 * place + 4) this.#acks = Buffer.concat([this.#acks], 2 * this.#acks.length)
    this.#acks[4 * place] = 0x40
    this.#acks[4 * place + 1] = 2
    this.#acks[4 * place + 2] = bytes[idAt]!
    this.#acks[4 * place + 3] = bytes[idAt + 1]!
  }
}

function fail(error: Error): void {
  console.error(`load: ${error.message}`)
  process.exit(1)
}

/** All members of all rooms, connected and subscribed; returns those who speak. */
async function assemble({ port, cell, passwords }: LoadOptions): Promise<Member[]> {
  const speakers: Member[] = []
  let joining: Promise<void>[] = []
  for (let room = 0; room < cell.rooms; room++) {
    let last: Member | null = null
    for (let member = 0; member < cell.members; member++) {
      const user = userOf(cell, room, member)
      last = new Member(port, topicOf(room), cell.qos)
      if (member === 0) speakers.push(last)
      joining.push(last.join(user, passwords ? passwords[user]! : null))
      if (joining.length >= CONNECTING) await Promise.all(joining.splice(0))
    }
    const speaker = speakers[room]!
    last!.received = (count) => speaker.publish(count)
  }
  await Promise.all(joining)
  joining = []
  return speakers
}

let speakers: Member[] = []
let window = 1

function report(message: LoadReport): void {
  process.send!(message)
}

process.on('message', async (command: LoadCommand) => {
  if (command === 'publish') {
    for (const speaker of speakers) speaker.publish(window)
  } else if (command === 'sample') {
    const { user, system } = process.cpuUsage()
    report({ ...totals, cpu: (user + system) / 1e6 })
  } else {
    window = command.start.cell.window
    speakers = await assemble(command.start)
    report('ready')
  }
})
process.on('disconnect', () => process.exit(0))
