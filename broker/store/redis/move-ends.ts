/** A deployment in Redis as an end of a move: one that is read as a whole, and one that is filled with what another store keeps. */
import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from '../changes.js'
import type { Contents, Piece, StoreFacts } from '../moving/contents.js'
import { HOW_TO_MOVE, type MoveTarget, type Reached } from '../moving/move.js'
import { TABLES } from '../tables.js'
import { RedisContents } from './contents.js'
import { DEDUPE_DAYS } from './dedupe.js'
import { Hold } from './hold.js'
import { Keys } from './keys.js'
import { Link, type LinkOptions, NO_CONNECTION } from './link.js'
import { type Command, MoveCommands } from './move-commands.js'
import { FORMAT, MOVING } from './nodes.js'
import { Patience } from './patience.js'
import { Reader } from './reader.js'
import { type Script, scriptNamed } from './script.js'
import type { Needs } from './server-check.js'
import { ServerWatch } from './server-watch.js'

export interface RedisEndOptions extends Pick<LinkOptions, 'url' | 'tls'> {
  readonly prefix: string
  readonly timeoutMs?: number
  readonly onFault?: (error: unknown) => void
}

export interface RedisTargetOptions extends RedisEndOptions {
  /** What is moved (`sourceName`): only a move of the same goes on. */
  readonly source: string
  /** Removes what a move left that was broken off. */
  readonly restart?: boolean
  /** What the server has to be set for; absent: it is not looked at. */
  readonly needs?: Needs
  /** Of the store that is moved, unless that says it itself. */
  readonly secret: string | null
}

/** Ms between attempts of a write that was not answered, and their number. */
const RETRY_EVERY = 500
const ATTEMPTS = 30
const BEGIN = scriptNamed('move-begin')
const WRITE = scriptNamed('move-write')
const END = scriptNamed('move-end')
/** Keys removed by one command. */
const REMOVED_AT_ONCE = 500

/** @throws StoreError if nodes are on it, or nothing is stored there */
export async function openRedisContents(options: RedisEndOptions): Promise<Contents> {
  const end = await RedisEnd.open(options)
  const hold = new Hold(end.link, end.keys)
  const close = async (): Promise<void> => {
    await hold.end()
    await end.close()
  }
  try {
    const facts = await hold.begin()
    const assertUnchanged = async (): Promise<void> => {
      if ((await hold.renewed()).commits !== facts.commits)
        throw new StoreError(
          'what is stored in Redis was changed while it was moved: run topictalk migrate with --restart',
        )
    }
    return end.contents(facts, { assertUnchanged, close })
  } catch (error) {
    await close()
    throw error
  }
}

/** @throws StoreError if something is stored there already, or what a move of another source left */
export async function openRedisTarget(options: RedisTargetOptions): Promise<MoveTarget> {
  const end = await RedisEnd.open(options)
  const target = new RedisTarget(end, options)
  try {
    await target.begin(options.restart ?? false)
    return target
  } catch (error) {
    await end.close()
    throw error
  }
}

class RedisEnd {
  readonly keys: Keys
  readonly link: Link
  readonly reader: Reader

  private constructor({ url, tls, prefix, timeoutMs = 5000, onFault = () => undefined }: RedisEndOptions) {
    this.keys = new Keys(prefix)
    const name = 'topictalk-migrate'
    this.link = new Link({ url, ...(tls ? { tls } : {}), hashTag: prefix, timeoutMs, name, onFault })
    this.reader = new Reader(() => this.link.connection, new Patience(RETRY_EVERY * ATTEMPTS))
  }

  static async open(options: RedisEndOptions): Promise<RedisEnd> {
    const end = new RedisEnd(options)
    await end.link.start()
    return end
  }

  get about(): string {
    return `${this.link.connection?.about ?? 'redis'}, prefix ${this.keys.prefix}`
  }

  contents(facts: StoreFacts, how: Pick<Contents, 'assertUnchanged' | 'close'>): Contents {
    const { reader, keys, about } = this
    return new RedisContents({ reader, keys, about, facts, dedupeDays: DEDUPE_DAYS, ...how })
  }

  /** Sent again until it is answered: what it does, it does once. */
  async script(script: Script, args: readonly (string | Buffer)[]): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const { connection } = this.link
      try {
        if (!connection) throw new StoreError(NO_CONNECTION)
        return await connection.script(script, [this.keys.meta], args)
      } catch (error) {
        if ((connection && !connection.ended) || attempt >= ATTEMPTS) throw error
        await delay(RETRY_EVERY)
      }
    }
  }

  async close(): Promise<void> {
    this.reader.close()
    await this.link.close()
  }
}

class RedisTarget implements MoveTarget {
  reached: Reached | null = null
  readonly about: string
  readonly #end: RedisEnd
  readonly #options: RedisTargetOptions
  readonly #commands: MoveCommands
  #facts: StoreFacts | null = null

  constructor(end: RedisEnd, options: RedisTargetOptions) {
    this.#end = end
    this.#options = options
    this.#commands = new MoveCommands(end.keys, DEDUPE_DAYS)
    this.about = end.about
  }

  async begin(restart: boolean): Promise<void> {
    const { keys, link } = this.#end
    const { needs = null } = this.#options
    if (link.connection) await new ServerWatch(needs, () => {}).begin(link.connection)
    if (restart) await this.#clear()
    const any = [
      keys.meta,
      keys.logs,
      keys.retained,
      keys.packets,
      keys.marks,
      ...TABLES.map((table) => keys.index(table)),
    ]
    const reached = await this.#end
      .script(BEGIN, [keys.prefix, MOVING, this.#options.source, ...any])
      .catch((error: Error) => Promise.reject(this.#whyNot(error)))
    const text = String(reached)
    this.reached = text === '' ? null : JSON.parse(text)
  }

  #whyNot(error: Error): Error {
    const { prefix } = this.#end.keys
    if (error.message.startsWith('TAKEN'))
      return new StoreError(
        `there is a store in Redis already, under the prefix of these keys: ${prefix}; move to another prefix`,
      )
    if (error.message.startsWith('SOURCE'))
      return new StoreError(`the move to Redis was of another source, or that has changed since: ${HOW_TO_MOVE}`)
    return error
  }

  /** Removes all keys of the deployment, if it is no store yet. */
  async #clear(): Promise<void> {
    const { reader, keys } = this.#end
    const format = (await reader.hashField(keys.meta, 'format'))?.toString()
    if (format !== MOVING) return
    const pattern = `${keys.prefix.replace(/[*?[\]\\]/g, '\\$&')}*`
    const scan = reader.keyPages(pattern, REMOVED_AT_ONCE)
    for await (const page of scan) {
      // The mark of an incomplete move goes last.
      const others = page.filter((key) => key !== keys.meta)
      if (others.length > 0) await reader.call('UNLINK', others)
    }
    await reader.call('DEL', [keys.meta])
  }

  async write(pieces: readonly Piece[], reached: Reached): Promise<void> {
    const words = this.#commands.of(pieces).flatMap((command: Command) => [String(command.length), ...command])
    const before = this.reached === null ? '' : JSON.stringify(this.reached)
    await this.#end
      .script(WRITE, [this.#end.keys.prefix, MOVING, before, JSON.stringify(reached), ...words])
      .catch((error: Error) => Promise.reject(/^(REACHED|ENDED)/.test(error.message) ? elsewhere() : error))
    this.reached = reached
  }

  async complete(facts: StoreFacts): Promise<void> {
    this.#facts = facts
  }

  contents(): Contents {
    return this.#end.contents(this.#facts!, { assertUnchanged: async () => {}, close: async () => {} })
  }

  async release(): Promise<void> {
    const { epoch, commits, queued, secret } = this.#facts!
    const numbers = {
      commit: commits,
      position: commits,
      floor: commits,
      younger: commits,
      dropped: commits,
      queue: queued,
    }
    const fields = Object.entries(numbers).flatMap(([name, value]) => [name, String(value)])
    const ours = secret ?? this.#options.secret
    const rest = ['epoch', epoch, ...(ours === null ? [] : ['secret', ours])]
    await this.#end.script(END, [this.#end.keys.prefix, MOVING, FORMAT, ...fields, ...rest])
  }

  close(): Promise<void> {
    return this.#end.close()
  }
}

/** What is written is not what this move wrote last. */
function elsewhere(): StoreError {
  return new StoreError(
    `what was moved to Redis is not what it was a moment ago: another move to it is under way, or a replica took over that had not received the last of it; ${HOW_TO_MOVE}`,
  )
}
