/** A line-based chat for the terminal, over plain MQTT 3.1.1: an example of a client of the public contract. */
import type { MqttClient } from 'mqtt'
import { ERRORS, type ErrorBody } from '../../schemas/errors.js'
import { directRoom } from '../../schemas/ids.js'
import { parseTopic, topics } from '../../schemas/topics.js'
import { ChatError } from '../base/chat-error.js'
import { type Methods, methods } from '../requests/methods.js'
import { mqttCalls } from '../requests/mqtt-calls.js'
import { type ConnectionOptions, open, reason } from './connection.js'
import { type ChatMessage, HELP, type Input, messageLine, parseInput, printable } from './lines.js'

export interface ChatOptions extends ConnectionOptions {
  /** A room, or `@user` for a direct conversation. */
  room: string
  lines: AsyncIterable<string>
  /** Prints a line of chat. */
  print(line: string): void
  /** Prints a status line: connection, refusals. */
  printStatus(line: string): void
}

/** The broker refuses permanently. */
class PermanentRefusal extends Error {}

type Reply = { re: string; ok: true; result: unknown } | { re: string; ok: false; error: ErrorBody }

/** An entry of a history page: a message, or the seq of one that is gone. */
type LogLine = ChatMessage | { seq: number; gone: string }

/** A line that was not answered yet. It keeps its `cid`, so that sending it again is safe. */
interface Outgoing {
  cid: string
  topic: string
  text: string
  /** Unix ms from which it may be sent again; null while mqtt.js waits for the ack and resends by itself. */
  retryAt: number | null
}

/** Maximum number of lines shown on joining, and after an absence. */
const HISTORY = { first: 20, later: 100 }
/** Maximum number of unanswered lines; beyond it input waits. */
const MAX_OUTGOING = 64
/** Live messages buffered while history is read; further ones are read again. */
const MAX_BUFFERED = 1000
/** Milliseconds. */
const RETRY_AFTER = 5_000
const ECHO_TIMEOUT = 2_000
const LAST_ANSWERS_TIMEOUT = 30_000
/** CONNACK return code [MQTT-3.2.2.3]. */
const SERVER_UNAVAILABLE = 3

/** Chats until the input ends or the user quits. Resolves with true if every line was accepted. */
export async function chat(options: ChatOptions): Promise<boolean> {
  const client = await open(options)
  const session = new ChatSession(client, options)
  try {
    await session.enter()
    await session.sendLines()
    return await session.waitForAnswers()
  } finally {
    session.stop()
    await client.endAsync(!client.connected)
  }
}

class ChatSession {
  readonly #client: MqttClient
  readonly #options: ChatOptions
  /** The room's id in messages: `dm:…` for a direct conversation. */
  readonly #room: string
  readonly #peer: string | null
  /** Seq of the last line shown, by room. */
  readonly #shown = new Map<string, number>()
  /** Seqs of our own lines, by room: their echo is awaited before leaving. */
  readonly #sent = new Map<string, number>()
  readonly #outgoing = new Map<string, Outgoing>()
  readonly #ask: Methods
  /** Live messages of the room that arrive while its history is read; null: no read is under way. */
  #buffered: ChatMessage[] | null = null
  #refused = 0
  #online = true
  #fault: Error | null = null
  readonly #failed: Promise<void>
  #fail!: (error: Error) => void
  /** Wakes the waiting `#until`. */
  #changed: () => void = () => {}
  readonly #retries = setInterval(() => this.#resend(), 1000)

  constructor(client: MqttClient, options: ChatOptions) {
    this.#client = client
    this.#options = options
    this.#ask = methods(mqttCalls({ client, user: options.user }))
    this.#peer = options.room.startsWith('@') ? options.room.slice(1) : null
    this.#room = this.#peer === null ? options.room : directRoom(options.user, this.#peer)
    this.#failed = new Promise((resolve) => {
      this.#fail = (error) => {
        this.#fault ??= error
        this.#changed()
        resolve()
      }
    })
    client.on('message', (topic, payload) => this.#receive(topic, payload))
    client.on('connect', () => void this.#reconnected())
    client.on('close', () => this.#disconnected())
    client.on('error', (error) => this.#loginRefused(error))
  }

  /** Joins the room and shows its last messages. */
  async enter(): Promise<void> {
    await this.#subscribe()
    await this.#catchUp()
  }

  /** Sends lines until the input ends, the user quits, or the broker refuses for good. */
  async sendLines(): Promise<void> {
    const lines = this.#options.lines[Symbol.asyncIterator]()
    const failed = this.#failed.then(() => ({ done: true, value: undefined }) as const)
    for (;;) {
      const line = await Promise.race([lines.next(), failed])
      if (line.done || !(await this.#handle(parseInput(line.value)))) return
    }
  }

  /** Resolves with false when the user quits. */
  async #handle(input: Input): Promise<boolean> {
    switch (input.kind) {
      case 'empty':
        break
      case 'quit':
        return false
      case 'room':
        await this.#send(this.#peer, input.text)
        break
      case 'direct':
        await this.#send(input.user, input.text)
        break
      case 'who':
        await this.#who()
        break
      case 'help':
        this.#options.printStatus(HELP)
        break
      case 'unknown':
        this.#options.printStatus(`no command ${input.command}; ${HELP}`)
    }
    return true
  }

  /** Waits for the answers to all lines, and for their echo. */
  async waitForAnswers(): Promise<boolean> {
    await this.#until(() => this.#outgoing.size === 0, LAST_ANSWERS_TIMEOUT)
    if (this.#fault) throw this.#fault
    const unanswered = this.#outgoing.size
    if (unanswered > 0) this.#options.printStatus(`lines that were not answered: ${unanswered}`)
    const echoed = () => [...this.#sent].every(([room, seq]) => (this.#shown.get(room) ?? 0) >= seq)
    await this.#until(echoed, ECHO_TIMEOUT)
    return unanswered === 0 && this.#refused === 0
  }

  stop(): void {
    clearInterval(this.#retries)
  }

  /** An exact subscription joins a public room. */
  async #subscribe(): Promise<void> {
    const { user } = this.#options
    await this.#client.subscribeAsync([topics.user(user, 'replies'), topics.user(user, 'messages')], { qos: 1 })
    if (this.#peer !== null) return
    const messages = topics.room(this.#room, 'messages')
    try {
      await this.#client.subscribeAsync(messages, { qos: 1 })
    } catch {
      // A SUBACK gives no reason; the request does, and also lets a user who left join again.
      await this.#ask.rooms.join({ room: this.#room }).catch((error: ChatError) => {
        throw refusal(`cannot join ${this.#room}`, error)
      })
      await this.#client.subscribeAsync(messages, { qos: 1 })
    }
  }

  async #send(peer: string | null, text: string): Promise<void> {
    await this.#until(() => this.#outgoing.size < MAX_OUTGOING)
    const topic = peer === null ? topics.room(this.#room, 'messages') : topics.user(peer, 'messages')
    const parsed = parseTopic(topic)
    if (parsed.kind === 'invalid') return this.#refuse(text, parsed.why)
    const outgoing: Outgoing = { cid: crypto.randomUUID(), topic, text, retryAt: null }
    this.#outgoing.set(outgoing.cid, outgoing)
    if (!this.#online) this.#options.printStatus('(offline; this will be sent)')
    this.#publish(outgoing)
  }

  /** mqtt.js queues publishes while offline, and resends unacknowledged ones. */
  #publish(outgoing: Outgoing): void {
    outgoing.retryAt = null
    const payload = JSON.stringify({ cid: outgoing.cid, text: outgoing.text })
    this.#client.publish(outgoing.topic, payload, { qos: 1 }, () => {
      // The answer may be lost with the connection: publishing the same cid asks for it again.
      outgoing.retryAt ??= Date.now() + RETRY_AFTER
    })
  }

  #resend(): void {
    if (!this.#online) return
    for (const outgoing of this.#outgoing.values())
      if (outgoing.retryAt !== null && outgoing.retryAt <= Date.now()) this.#publish(outgoing)
  }

  #answered(outgoing: Outgoing, reply: Reply): void {
    if (!reply.ok && ERRORS[reply.error.code]?.transient) {
      outgoing.retryAt = Date.now() + 1000 * (reply.error.retryAfter ?? 2)
      return
    }
    this.#outgoing.delete(outgoing.cid)
    if (!reply.ok) this.#refuse(outgoing.text, reply.error.message)
    else {
      const { room, seq } = reply.result as { room: string; seq: number }
      this.#sent.set(room, Math.max(seq, this.#sent.get(room) ?? 0))
    }
    this.#changed()
  }

  #refuse(text: string, why: string): void {
    this.#refused++
    const excerpt = text.length > 30 ? `${text.slice(0, 30)}…` : text
    this.#options.printStatus(`not sent: ${printable(why)} (${excerpt})`)
  }

  async #who(): Promise<void> {
    if (this.#peer !== null) return this.#options.printStatus(`${this.#options.user}, ${this.#peer}`)
    try {
      const { members } = await this.#ask.rooms.members({ room: this.#room })
      this.#options.printStatus(members.map(({ user }) => user).join(', '))
    } catch (error) {
      this.#options.printStatus(`/who: ${printable((error as ChatError).message)}`)
    }
  }

  #receive(topic: string, payload: Buffer): void {
    const value = parseJson(payload)
    if (topic === topics.user(this.#options.user, 'replies')) this.#receiveReply(value as Reply)
    else if (isMessage(value)) this.#receiveMessage(value)
  }

  #receiveReply(reply: Reply): void {
    const outgoing = this.#outgoing.get(reply.re)
    if (outgoing) this.#answered(outgoing, reply)
  }

  /** A gap before the message means that something was missed; it is read from history. */
  #receiveMessage(message: ChatMessage): void {
    const shown = this.#shown.get(message.room) ?? 0
    if (message.room !== this.#room) this.#show(message)
    else if (this.#buffered) {
      if (this.#buffered.length < MAX_BUFFERED) this.#buffered.push(message)
    } else if (message.seq > shown + 1) void this.#catchUp(message)
    else this.#show(message)
  }

  /** Shows the newest missed messages, then what arrived meanwhile. */
  async #catchUp(...arrived: ChatMessage[]): Promise<void> {
    if (this.#buffered) return
    const buffered = (this.#buffered = arrived)
    const shown = this.#shown.get(this.#room)
    const limit = shown === undefined ? HISTORY.first : HISTORY.later
    const read = await this.#ask.history({ room: this.#options.room, limit }).catch((error: ChatError) => error)
    this.#buffered = null
    if (!(read instanceof ChatError)) this.#showHistory(read.messages as unknown as LogLine[], shown)
    else if (!this.#online)
      return // Reconnecting reads all of it.
    else if (read.code !== 'not_found') this.#options.printStatus(`(no history: ${printable(read.message)})`)
    for (const message of buffered) this.#show(message)
  }

  #showHistory(messages: readonly LogLine[], shown: number | undefined): void {
    const first = messages[0]?.seq ?? 0
    if (shown !== undefined && first > shown + 1)
      this.#options.printStatus(`(${first - shown - 1} earlier lines not shown)`)
    for (const message of messages) {
      if (isMessage(message)) this.#show(message)
      else this.#shown.set(this.#room, message.seq)
    }
  }

  #show(message: ChatMessage): void {
    if (message.seq <= (this.#shown.get(message.room) ?? 0)) return
    this.#shown.set(message.room, message.seq)
    this.#options.print(messageLine(message))
    this.#changed()
  }

  async #reconnected(): Promise<void> {
    this.#online = true
    this.#options.printStatus('(connected again)')
    try {
      await this.#subscribe()
      await this.#catchUp()
    } catch (error) {
      // Any other error is a lost connection, after which this runs again.
      if (error instanceof PermanentRefusal) this.#fail(error)
    }
    // The answers to acknowledged messages may have been lost with the connection.
    for (const outgoing of this.#outgoing.values()) if (outgoing.retryAt !== null) this.#publish(outgoing)
  }

  #disconnected(): void {
    if (!this.#online) return
    this.#online = false
    if (!this.#client.disconnecting) this.#options.printStatus('(connection lost; trying again)')
  }

  /** mqtt.js reconnects after a lost connection, but a refused login is final, unless the broker is only busy. */
  #loginRefused(error: Error): void {
    const { code } = error as { code?: unknown }
    if (typeof code === 'number' && code !== SERVER_UNAVAILABLE) this.#fail(new PermanentRefusal(reason(error)))
  }

  /** Resolves when `done()` holds, when the chat has failed, or after `timeout` ms. */
  async #until(done: () => boolean, timeout = 2 ** 31 - 1): Promise<void> {
    if (done() || this.#fault) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeout)
      this.#changed = () => {
        if (!done() && !this.#fault) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.#changed = () => {}
  }
}

function isMessage(value: unknown): value is ChatMessage {
  const { room, seq, ts, from } = (value ?? {}) as Partial<ChatMessage>
  return typeof room === 'string' && typeof seq === 'number' && typeof ts === 'number' && typeof from === 'string'
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    return null
  }
}

function refusal(what: string, { transient, message }: ChatError): Error {
  const text = `${what}: ${printable(message)}`
  return transient ? new Error(text) : new PermanentRefusal(text)
}
