/** A client that shares a subscription: it acknowledges what comes, unless it is told to hold that back, and notes it. */
import type { IPublishPacket } from 'mqtt-packet'
import type { Test } from 'tap'
import type { Options } from './mqtt5.js'
import { open5, subscribe5 } from './mqtt5.js'
import type { SharedBroker } from './nodes.js'
import { textOf } from './people.js'
import type { RawClient } from './raw-client.js'

type At = Pick<SharedBroker, 'broker'>

interface MemberOptions extends Pick<Options, 'qos'> {
  readonly user?: string
  readonly id: string
  readonly filter?: string | null
  /** Seconds. */
  readonly expiry?: number
  /** It acknowledges nothing. */
  readonly holds?: boolean
  readonly receiveMaximum?: number
}

export class Member {
  readonly client: RawClient
  /** SUBACK has come for a SUBSCRIBE that was sent later. */
  isSubscribed = false
  /** In the order of arrival, each packet once, however often it is sent again. */
  readonly got: string[]
  /** The acknowledgements that are held back. */
  readonly #held: IPublishPacket[] = []
  /** QoS 2 packets that came, and are not complete. */
  readonly #began: Set<number>
  #holds: boolean
  #wake: () => void = () => {}

  private constructor(client: RawClient, holds: boolean, former: Member | null) {
    this.client = client
    this.got = former?.got ?? []
    this.#began = former ? former.#began : new Set()
    this.#holds = holds
    void this.#read()
  }

  /** @param former The client before it was disconnected: it goes on as MQTT demands of it */
  static async join({ broker }: At, options: MemberOptions, former: Member | null = null): Promise<Member> {
    const { user = 'ann', id, filter = '$share/workers/jobs/+', qos = 1, expiry = 0, holds = false } = options
    const { receiveMaximum = 100 } = options
    const client = await open5(broker, { user, id, clean: expiry === 0, expiry, properties: { receiveMaximum } })
    if (filter) await subscribe5(client, filter, { qos })
    return new Member(client, holds, former)
  }

  acknowledge(): void {
    this.#holds = false
    for (const packet of this.#held.splice(0)) this.#answer(packet)
  }

  /** Resolves when as many messages have come. */
  async has(count: number): Promise<string[]> {
    while (this.got.length < count) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.got
  }

  /** Resolves when it has completed each QoS 2 exchange that it has begun. */
  async completed(): Promise<void> {
    while (this.#began.size > 0) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  async #read(): Promise<void> {
    for (let packet = await this.client.next(); packet; packet = await this.client.next()) {
      if (packet.cmd === 'publish') this.#take(packet)
      else if (packet.cmd === 'pubrel') this.#complete(packet.messageId!)
      else if (packet.cmd === 'suback') this.isSubscribed = true
    }
  }

  #take(packet: IPublishPacket): void {
    const { qos, messageId } = packet
    if (qos < 2 || !this.#began.has(messageId!)) this.got.push(textOf(packet.payload as Buffer))
    if (qos === 2) this.#began.add(messageId!)
    if (this.#holds) this.#held.push(packet)
    else this.#answer(packet)
    this.#wake()
  }

  #answer({ qos, messageId }: IPublishPacket): void {
    if (qos > 0) this.client.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: messageId! } as never)
  }

  #complete(messageId: number): void {
    this.#began.delete(messageId)
    this.client.send({ cmd: 'pubcomp', messageId } as never)
    this.#wake()
  }
}

/** Resolves when these have got as many messages together. */
export async function together(count: number, ...members: Member[]): Promise<string[]> {
  while (members.reduce((sum, { got }) => sum + got.length, 0) < count)
    await new Promise((resolve) => setImmediate(resolve))
  return members.flatMap(({ got }) => got)
}

export function isAscending(t: Test, member: Member, name: string): void {
  const numbers = member.got.map((one) => Number(one.split(' ').at(-1)))
  t.same(
    numbers,
    [...numbers].sort((a, b) => a - b),
    name,
  )
}
