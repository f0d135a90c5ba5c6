/** A client of the SDK that lives through what people and the network do, and is compared with the broker again and again. */
import type { Test } from 'tap'
import { until } from '../patience.js'
import type { Random } from '../random.js'
import type { Crowd } from './crowd.js'
import { differences, historyOf } from './differences.js'
import { type Known, roomOf } from './knowledge.js'

/** A client, wherever it runs. What fails because the client was begun anew meanwhile, rejects. */
export interface CheckedClient {
  know(): Promise<Known>
  retryNow(): Promise<void>
  /** Moves its timeline somewhere, which may fail. `seed`: of where. */
  move(seed: number): Promise<void>
  /** Resolves when the message is stored on the device. */
  send(room: string, text: string): Promise<void>
  /** Edits what is on its way: false, if it is not. Resolves when that is stored on the device. */
  edit(text: string): Promise<boolean>
  /** Takes back what is on its way: false, if it is not, or has left. */
  cancel(text: string): Promise<boolean>
}

/** By name: what becomes of the network, the broker, or the client. `heal` of the schedule undoes it, if that is needed. */
export type Faults = Readonly<Record<string, () => unknown>>

export interface Schedule {
  readonly random: Random
  readonly crowd: Crowd
  readonly client: CheckedClient
  readonly faults: Faults
  readonly heal: () => unknown
  readonly rounds: number
}

/** Where nobody deletes what the client sends. */
const OWN = ['own', 'dm:alice:carol']

/** What the client has sent. */
class Sent {
  readonly #random: Random
  readonly #client: CheckedClient
  /** Stored on the device, in order. */
  readonly #stored = new Set<string>()
  readonly #edited = new Set<string>()
  /** Whether it was taken back, only the device knows. */
  readonly #doubtful = new Set<string>()
  readonly #canceled = new Set<string>()
  #last = 0

  constructor(random: Random, client: CheckedClient) {
    this.#random = random
    this.#client = client
  }

  async act(): Promise<void> {
    const random = this.#random
    const text = random.pick([...this.#stored].slice(-5))
    const what = random.pick(['send', 'send', 'send', 'edit', 'cancel'] as const)
    if (what === 'send' || text === undefined || this.#canceled.has(text)) return this.#send()
    if (what === 'edit') return void ((await this.#client.edit(text)) && this.#edited.add(text))
    this.#doubtful.add(text)
    const isCanceled = await this.#client.cancel(text)
    this.#doubtful.delete(text)
    if (isCanceled) this.#canceled.add(text)
  }

  async #send(): Promise<void> {
    const room = this.#random.pick(OWN)
    const text = `${room} ${++this.#last}`
    await this.#client.send(room, text)
    this.#stored.add(text)
  }

  get summary(): string {
    return `${this.#stored.size} messages were stored, ${this.#edited.size} edited on their way, ${this.#canceled.size} taken back`
  }

  /** What is not so: each that was stored is in its room once, with its edits, in the order in which it was sent. */
  async differences(crowd: Crowd): Promise<string[]> {
    const all = await Promise.all(OWN.map((room) => this.#differencesIn(room, crowd)))
    return all.flat()
  }

  async #differencesIn(room: string, crowd: Crowd): Promise<string[]> {
    const history = await historyOf(crowd.alice, room).catch(() => new Map<number, never>())
    const texts = [...history.values()].flatMap((message) =>
      'gone' in message || !message.text?.startsWith(`${room} `) ? [] : [message.text],
    )
    const sent = texts.map((text) => text.replace(' (edited)', ''))
    const numbers = sent.map((text) => Number(text.split(' ')[1]))
    const inOrder = [...new Set(numbers)].sort((a, b) => a - b)
    const missing = [...this.#stored].filter((text) => roomOf(text) === room && !sent.includes(text))
    const wrong = (what: string, found: readonly string[]): string[] => found.map((text) => `${text} ${what}`)
    return [
      ...(numbers.join() === inOrder.join() ? [] : [`${room} has ${numbers.join()}`]),
      ...wrong(
        'is lost',
        missing.filter((text) => !this.#canceled.has(text) && !this.#doubtful.has(text)),
      ),
      ...wrong(
        'was edited',
        [...this.#edited].filter((text) => texts.includes(text)),
      ),
      ...wrong(
        'was taken back',
        [...this.#canceled].filter((text) => sent.includes(text)),
      ),
    ]
  }
}

/** Acts of a round: the fault comes before `FAULT`, and is over before `HEALED`. */
const ACTS = 12
const FAULT = 4
const HEALED = 10

export async function check(t: Test, { random, crowd, client, faults, heal, rounds }: Schedule): Promise<void> {
  const sent = new Sent(random, client)
  for (let round = 0; round < rounds; round++) {
    const fault = random.pick(['none', ...Object.keys(faults)])
    for (let i = 0; i < ACTS; i++) {
      if (i === FAULT) await faults[fault]?.()
      if (i === HEALED) await heal()
      await crowd.act()
      // What a client that is begun anew was asked for may fail.
      await sent.act().catch(() => {})
      if (random.chance(0.1)) await client.retryNow().catch(() => {})
      if (random.chance(0.3)) void client.move(random.below(2 ** 32)).catch(() => {})
    }
    await heal()
    await settle(t, crowd, client, `round ${round}, ${fault}`, sent)
  }
  t.comment(sent.summary)
}

/**
 * Waits until the client knows what the broker knows, and the broker has what the client has sent: some of it the client asks for by itself, and
 * what another one has left it sends when that is known to be gone.
 */
export async function settle(
  t: Test,
  crowd: Crowd,
  client: CheckedClient,
  what: string,
  sent?: Pick<Sent, 'differences'>,
): Promise<void> {
  let wrong: string[] = []
  const isRight = async (): Promise<boolean> => {
    await client.retryNow()
    wrong = await differences(await client.know(), crowd.alice)
    if (wrong.length === 0 && sent) wrong = await sent.differences(crowd)
    return wrong.length === 0
  }
  await until(what, isRight).catch(() => {})
  t.same(wrong, [], what)
}
