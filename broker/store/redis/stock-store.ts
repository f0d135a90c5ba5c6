/**
 * What an Aedes keeps in Redis with aedes-persistence-redis, as its versions 8 to 12 write it:
 *
 *   retained                   hash: topic → packet (on a Cluster, from version 10 on, a key for each topic)
 *   clients, client:{id}       set of clients with subscriptions; hash: filter → subscription (version 8: its QoS as a digit)
 *   outgoing:{id}              list of keys of packets that wait: packet:{broker}:{n}, or outgoing:{id}:{broker}:{n} for a PUBREL that is due
 *   incoming:{id}              hash: packet id → a PUBLISH of QoS 2 that was published and awaits PUBREL (before version 12 a key for each,
 *                              incoming:{id}:{packet id})
 *   will, will:{broker}:{id}   list of keys; a will
 *
 * Client ids in keys are encoded as parts of an URL, values by MessagePack.
 */
import { decodeMessagePack } from '../../util/msgpack.js'
import { StoreError } from '../changes.js'
import type { QoS } from '../qos.js'
import type { StockContents, StockLimits, StockMessage, StockSession, StockWill } from '../stock/stock.js'
import type { StoredSubscription } from '../subscription.js'
import { parseAddress } from './address.js'
import { Link, type LinkOptions } from './link.js'
import { Patience } from './patience.js'
import { Reader } from './reader.js'

type Fields = Readonly<Record<string, unknown>>

/** Keys in one page of a scan, and values in one read. */
const SCANNED = 500
const LARGE_PAGE = 32

export class StockStore implements StockContents {
  readonly about: string
  readonly #link: Link
  readonly #reader: Reader

  private constructor(link: Link, timeoutMs: number) {
    this.#link = link
    this.#reader = new Reader(() => link.connection, new Patience(timeoutMs))
    this.about = link.connection?.about ?? 'redis'
  }

  static async open(options: Pick<LinkOptions, 'url' | 'tls' | 'timeoutMs' | 'onFault'>): Promise<StockStore> {
    if (parseAddress(options.url).kind === 'cluster')
      throw new StoreError('an Aedes on a Redis Cluster is not taken over: its keys are on all servers of it')
    const link = new Link({ ...options, hashTag: '', name: 'topictalk-migrate' })
    await link.start()
    return new StockStore(link, options.timeoutMs)
  }

  async close(): Promise<void> {
    this.#reader.close()
    await this.#link.close()
  }

  async *retained(): AsyncGenerator<StockMessage> {
    const seen = new Set<string>()
    for await (const page of this.#reader.hashPages('retained'))
      for (const [topic, value] of page)
        if (!seen.has(topic) && seen.add(topic)) yield messageOf(value, `retained ${topic}`)
  }

  async *sessions(limits: StockLimits): AsyncGenerator<StockSession> {
    const incoming = await this.#incoming()
    const seen = new Set<string>()
    for await (const page of this.#reader.setPages('clients'))
      for (const id of page)
        if (!seen.has(id) && seen.add(id))
          yield { ...(await this.#session(id, limits)), incoming: incoming.get(id) ?? [] }
  }

  async #session(clientId: string, limits: StockLimits): Promise<Omit<StockSession, 'incoming'>> {
    const name = encodeURIComponent(clientId)
    const filters = await this.#reader.wholeHash(`client:${name}`)
    const subscriptions = filters.map(([topic, value]) => subscriptionOf(topic, value))
    const keys = (await this.#reader.list(`outgoing:${name}`, 0, -1)).map(String)
    const isRelease = (key: string): boolean => key.startsWith('outgoing:')
    const waiting = keys.filter((key) => !isRelease(key))
    const queue = await this.#queue(waiting, limits)
    const releases = await this.#releases(keys.filter(isRelease))
    return { clientId, subscriptions, queue, beyond: waiting.length - queue.length, releases }
  }

  async #queue(keys: readonly string[], limits: StockLimits): Promise<(StockMessage | null)[]> {
    const queue: (StockMessage | null)[] = []
    let bytes = 0
    for (
      let i = 0;
      i < keys.length && queue.length < limits.queueMessages && bytes < limits.queueBytes;
      i += LARGE_PAGE
    )
      for (const [key, value] of await this.#values(keys.slice(i, i + LARGE_PAGE))) {
        queue.push(value && messageOf(value, key))
        bytes += value?.length ?? 0
      }
    return queue
  }

  async #releases(keys: readonly string[]): Promise<number[]> {
    const releases: number[] = []
    for (let i = 0; i < keys.length; i += LARGE_PAGE)
      for (const [key, value] of await this.#values(keys.slice(i, i + LARGE_PAGE)))
        if (value) releases.push(Number(fieldsOf(value, key)['messageId']))
    return releases
  }

  /** Packet ids by client, of clients without a session too. */
  async #incoming(): Promise<ReadonlyMap<string, readonly number[]>> {
    const found = new Map<string, number[]>()
    for await (const page of this.#reader.keyPages('incoming:*', SCANNED))
      for (const key of page) {
        const [, name = '', id] = key.split(':')
        const ids =
          id === undefined ? ((await this.#reader.call('HKEYS', [key])) as Buffer[]).map(Number) : [Number(id)]
        const clientId = decodeURIComponent(name)
        found.set(clientId, [...new Set([...(found.get(clientId) ?? []), ...ids])])
      }
    return found
  }

  async *wills(): AsyncGenerator<StockWill> {
    const keys = [...new Set((await this.#reader.list('will', 0, -1)).map(String))]
    for (let i = 0; i < keys.length; i += LARGE_PAGE)
      for (const [key, value] of await this.#values(keys.slice(i, i + LARGE_PAGE))) {
        // It was removed, or is not written yet: the stock persistence does not wait for either.
        if (!value) continue
        const fields = fieldsOf(value, key)
        yield { clientId: String(fields['clientId']), message: messageFrom(fields, key) }
      }
  }

  async #values(keys: readonly string[]): Promise<[key: string, value: Buffer | null][]> {
    if (keys.length === 0) return []
    const values = (await this.#reader.call('MGET', keys)) as (Buffer | null)[]
    return keys.map((key, i) => [key, values[i]!])
  }
}

/** @param where For the error */
function fieldsOf(value: Buffer, where: string): Fields {
  try {
    const found = decodeMessagePack(value)
    if (typeof found === 'object' && found !== null) return found as Fields
  } catch (cause) {
    throw new StoreError(`${where} is not what an Aedes writes: ${(cause as Error).message}`, { cause })
  }
  throw new StoreError(`${where} is not what an Aedes writes`)
}

function messageOf(value: Buffer, where: string): StockMessage {
  return messageFrom(fieldsOf(value, where), where)
}

function messageFrom({ topic, payload, qos, retain }: Fields, where: string): StockMessage {
  if (typeof topic !== 'string') throw new StoreError(`${where} is not what an Aedes writes: it has no topic`)
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(String(payload ?? ''))
  return { topic, payload: bytes, qos: qosOf(qos), retain: retain === true }
}

function subscriptionOf(topic: string, value: Buffer): StoredSubscription {
  if (value.length === 1) return { topic, qos: qosOf(Number(value.toString())) }
  const { qos, nl, rap, rh } = fieldsOf(value, `subscription ${topic}`)
  return {
    ...{ topic, qos: qosOf(qos) },
    ...(nl === true ? { nl } : {}),
    ...(rap === true ? { rap } : {}),
    ...(typeof rh === 'number' && rh > 0 ? { rh } : {}),
  }
}

function qosOf(value: unknown): QoS {
  return value === 1 || value === 2 ? value : 0
}
