/** What a client has to send: a few messages at a time, each until it is acknowledged, on as many connections as that takes. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import type { Acked, QoS } from '../../models/history/events.js'
import type { Recorder } from './recorder.js'

export interface Outgoing {
  /** Its name in the history. */
  readonly message: string
  /** Null: a plain topic. */
  readonly log: string | null
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
  /** See `Sent`. A state is retained. */
  readonly use?: 'job' | 'state'
}

interface Flow {
  readonly outgoing: Outgoing
  /** PUBREC has come. */
  received: boolean
}

type Answer = Extract<Packet, { cmd: 'puback' | 'pubrec' | 'pubcomp' }>

const WINDOW = 4

export class Sender {
  readonly #recorder: Recorder
  readonly #user: string
  readonly #backlog: Outgoing[] = []
  /** By packet id, in the order of the first transmission. */
  readonly #flows = new Map<number, Flow>()
  #lastId = 0
  #transmit: ((packet: Packet) => void) | null = null

  constructor(recorder: Recorder, user: string) {
    this.#recorder = recorder
    this.#user = user
  }

  get isIdle(): boolean {
    return this.#backlog.length === 0 && this.#flows.size === 0
  }

  send(outgoing: Outgoing): void {
    this.#backlog.push(outgoing)
    this.#fill()
  }

  /** @param resumed What is in flight goes on under its packet ids [MQTT-4.4.0-1]; else it begins anew, and only a cid tells that it is the same. */
  connected(transmit: (packet: Packet) => void, resumed: boolean): void {
    this.#transmit = transmit
    for (const [messageId, flow] of this.#flows) {
      if (!resumed) flow.received = false
      if (flow.received) transmit({ cmd: 'pubrel', messageId })
      else this.#publish(messageId, flow.outgoing, resumed)
    }
    this.#fill()
  }

  disconnected(): void {
    this.#transmit = null
  }

  take(packet: Answer): void {
    const { messageId, reasonCode = 0 } = packet
    const flow = this.#flows.get(messageId!)
    if (packet.cmd === 'pubrec' && reasonCode < 0x80) this.#transmit!({ cmd: 'pubrel', messageId: messageId! })
    if (!flow) return
    if (packet.cmd !== 'pubcomp') this.#answered(flow, packet)
    if (packet.cmd !== 'pubrec' || reasonCode >= 0x80) this.#flows.delete(messageId!)
    this.#fill()
  }

  #answered(flow: Flow, { reasonCode = 0, properties }: Answer): void {
    const { message, log } = flow.outgoing
    if (reasonCode >= 0x80) return this.#recorder.add({ type: 'refused', message, code: String(reasonCode) })
    flow.received = true
    const { id, seq } = (properties?.userProperties ?? {}) as Record<string, string | undefined>
    const entry: Acked['entry'] = log === null || id === undefined ? null : { id, seq: Number(seq) }
    this.#recorder.add({ type: 'acked', message, entry })
  }

  #fill(): void {
    while (this.#transmit && this.#backlog.length > 0 && this.#flows.size < WINDOW) {
      const outgoing = this.#backlog.shift()!
      this.#lastId = (this.#lastId % 0xffff) + 1
      if (outgoing.qos > 0) this.#flows.set(this.#lastId, { outgoing, received: false })
      this.#publish(this.#lastId, outgoing, false)
    }
  }

  #publish(messageId: number, outgoing: Outgoing, dup: boolean): void {
    const { message, log, topic, payload, qos, use } = outgoing
    const user = this.#user
    this.#recorder.add({ type: 'sent', message, user, log, qos, ...(use ? { use } : {}) })
    const packet: IPublishPacket = {
      cmd: 'publish',
      topic,
      payload,
      qos,
      retain: use === 'state',
      dup: dup && qos > 0,
      messageId,
    }
    this.#transmit!(packet)
  }
}
