/** What is written and not sent, by room and thread: kept on the device, for each user. */
import { type Live, LiveValue } from '../base/live.js'
import type { Stop } from '../base/platform.js'
import type { Outgoing } from '../outbox/outgoing.js'
import type { Change, Key, Row } from '../store/store.js'
import type { Core, WithCore } from './core.js'

/** Drafts that are kept, those that were written last. */
const MOST_DRAFTS = 200
/** Characters of one. */
const MOST_CHARACTERS = 20_000

/** As kept in the table `drafts`, by room, or by room and thread. */
interface DraftRow {
  readonly text: string
  /** When it was written, Unix ms. */
  readonly at: number
}

export interface DraftPlace {
  /** The message that began the thread. */
  readonly thread?: number
}

/** The drafts of whoever is logged in to this client, until `dispose`. One is enough for an application. */
export function draftsOf(chat: WithCore): Drafts {
  return new Drafts(chat.core)
}

export class Drafts {
  readonly #core: Core
  readonly #texts = new Map<string, LiveValue<string>>()
  /** When each that is not empty was written, the oldest first. */
  readonly #written = new Map<string, number>()
  /** Those that have to be written to the store. */
  readonly #dirty = new Set<string>()
  /** Messages that have been looked at. */
  readonly #seen = new WeakSet<Outgoing>()
  readonly #stops: Stop[]
  /** How often something was written, here or to the store. */
  #edits = 0
  /** Whose these are; null: it is not known yet. */
  #user: string | null = null
  #writing: Promise<void> | null = null

  constructor(core: Core) {
    this.#core = core
    this.#stops = [
      core.replica.subscribe(() => this.#follow()),
      core.status.subscribe(() => {
        this.#follow()
        this.#write()
      }),
      core.outbox.subscribe((all) => this.#sent(all)),
    ]
    this.#follow()
  }

  /** Empty: there is none. */
  of(room: string, { thread }: DraftPlace = {}): Live<string> {
    return this.#at(nameOf(room, thread))
  }

  /**
   * To be called with each key. It is kept as soon as the device can; an empty one, or one that is sent as a message, is not kept any more. At most
   * 200 are kept, those that were written last, and 20,000 characters of each.
   */
  set(room: string, text: string, { thread }: DraftPlace = {}): void {
    this.#put(nameOf(room, thread), text)
    this.#write()
  }

  /** Takes over what other tabs have written, such as when the page is looked at again. Rejects with a `ChatError` `storage`. */
  async refresh(): Promise<void> {
    const user = this.#user
    if (user === null) return
    const rows = await this.#rows(user)
    if (this.#user !== user) return
    const kept = rows.map(({ key, value }) => ({ name: nameOf(...(key as [string, number?])), ...(value as DraftRow) }))
    kept.sort((a, b) => a.at - b.at)
    const gone = [...this.#written.keys()].filter((name) => kept.every((one) => one.name !== name))
    for (const { name, text, at } of [...gone.map((name) => ({ name, text: '', at: 0 })), ...kept]) {
      // What is kept of what was written here may be cut, and is in its place already.
      const isOwn = this.#written.get(name) === at && this.#at(name).current.startsWith(text)
      if (!this.#dirty.has(name)) this.#show(name, isOwn ? this.#at(name).current : text, at)
    }
  }

  /** As they are when nothing was written meanwhile. */
  async #rows(user: string): Promise<readonly Row[]> {
    for (;;) {
      while (this.#writing) await this.#writing
      const edits = this.#edits
      const rows = await this.#core.storeOf(user).range('drafts')
      if (edits === this.#edits || user !== this.#user) return rows
    }
  }

  /** Resolves when all of it is kept, as far as the device can. */
  async dispose(): Promise<void> {
    for (const stop of this.#stops) stop()
    await this.#writing
  }

  #at(name: string): LiveValue<string> {
    let text = this.#texts.get(name)
    if (!text) this.#texts.set(name, (text = new LiveValue('')))
    return text
  }

  #put(name: string, text: string): void {
    this.#dirty.add(name)
    this.#edits++
    this.#show(name, text, this.#core.clock.now())
    const [oldest] = this.#written.keys()
    if (this.#written.size > MOST_DRAFTS) this.#put(oldest!, '')
  }

  #show(name: string, text: string, at: number): void {
    this.#written.delete(name)
    if (text !== '') this.#written.set(name, at)
    this.#at(name).set(text)
  }

  /** The client is of a user, or of another one than before. */
  #follow(): void {
    const { user } = this.#core.replica
    if (user === null || user === this.#user) return
    if (this.#user !== null) {
      this.#dirty.clear()
      for (const name of [...this.#written.keys()]) this.#show(name, '', 0)
    }
    this.#user = user
    this.refresh().then(
      () => this.#write(),
      () => {},
    )
  }

  #sent(all: readonly Outgoing[]): void {
    for (const one of all) {
      const { target, thread, text = '' } = one.input
      const name = nameOf(one.room, thread)
      const isSent = target === undefined && text !== '' && this.#texts.get(name)?.current.trim() === text.trim()
      if (isSent && !this.#seen.has(one)) this.set(one.room, '', thread === undefined ? {} : { thread })
      this.#seen.add(one)
    }
  }

  /** What comes while one write is under way is written with the next. */
  #write(): void {
    if (this.#user !== null && this.#dirty.size > 0) this.#writing ??= this.#writeAll(this.#user)
  }

  async #writeAll(user: string): Promise<void> {
    const store = this.#core.storeOf(user)
    const failed = new Set<string>()
    while (this.#dirty.size > 0 && this.#user === user) {
      const names = [...this.#dirty]
      this.#dirty.clear()
      // What is being read from the store may be from before.
      this.#edits++
      await store.write(names.map((name) => this.#changeOf(name))).catch(() => {
        for (const name of names) failed.add(name)
      })
    }
    this.#writing = null
    if (this.#user !== user) return this.#write()
    // They are tried again with the next connection.
    for (const name of failed) this.#dirty.add(name)
  }

  #changeOf(name: string): Change {
    const [room, thread] = name.split(' ') as [string, string?]
    const key: Key = thread === undefined ? [room] : [room, Number(thread)]
    const at = this.#written.get(name)
    if (at === undefined) return { delete: 'drafts', key }
    const row: DraftRow = { text: this.#at(name).current.slice(0, MOST_CHARACTERS), at }
    return { put: 'drafts', key, value: row }
  }
}

function nameOf(room: string, thread?: number): string {
  return thread === undefined ? room : `${room} ${thread}`
}
