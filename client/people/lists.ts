/** The lists of the user: `sync` tells when they have changed, and events do. */
import type { Live } from '../base/live.js'
import type { Item } from '../engine/inbox.js'
import type { Change, Store } from '../store/store.js'
import type { Link } from './link.js'
import { Pool } from './pool.js'
import { type Block, type Contact, type Invitation, LISTS, type Me } from './port.js'

interface Entry {
  readonly contacts: Contact
  readonly blocks: Block
  readonly invitations: Invitation
}
type Name = keyof Entry
type Entries = readonly Entry[Name][]

/** Entries of one request, and of a list. */
const PAGE = 1000
const MOST = 10_000

/** By name. */
export class Lists extends Pool<Entries> {
  readonly #store: Pick<Store, 'range' | 'write'>
  /** Those that are as the broker has told by now. */
  #all = new Map<string, Entries>()

  /** `store`: of whoever is logged in. */
  constructor(link: Link, store: Pick<Store, 'range' | 'write'>) {
    super(link, [])
    this.#store = store
  }

  of<N extends Name>(name: N): Live<readonly Entry[N][]> {
    return this.get(name) as Live<readonly Entry[N][]>
  }

  /** Reads what the store has. Never rejects. */
  async open(): Promise<void> {
    const all = this.#all
    const rows = await this.#store.range('meta', { prefix: [LISTS] }).catch(() => [])
    // Unless another user has logged in meanwhile.
    if (all !== this.#all) return
    for (const { key, value } of rows) {
      const name = key[1] as Name
      if (!all.has(name)) this.#show(name, value as Entries)
    }
  }

  override forget(): void {
    super.forget()
    this.#all = new Map()
  }

  heard(item: Item): void {
    if (item.kind !== 'userEvent' && item.kind !== 'roomEvent') return
    const { type } = item.event
    const room = 'room' in item ? item.room : item.event.room
    if (type === 'contact') void this.changed('contacts')
    // Whatever happens there: it was accepted, declined, taken back, or the room is gone.
    const isInvited = this.#all.get('invitations')?.some((one) => 'room' in one && one.room === room)
    if (isInvited || (type === 'invited' && item.kind === 'userEvent')) void this.changed('invitations')
  }

  /** What `sync` says of those that have changed. Resolves when it is kept. Never rejects. */
  async told({ contacts, invitations }: Me): Promise<void> {
    if (contacts) await (contacts.more ? this.changed('contacts') : this.#tell('contacts', contacts.contacts))
    if (invitations)
      await (invitations.more ? this.changed('invitations') : this.#tell('invitations', invitations.invitations))
  }

  /** It is not up to date any more. Never rejects. */
  async changed(name: Name): Promise<void> {
    this.#all.delete(name)
    if (this.watched(name)) this.want(name)
    await this.#write({ delete: 'meta', key: [LISTS, name] })
  }

  protected override known(name: string): Entries | undefined {
    return this.#all.get(name)
  }

  protected override renew(name: string): void {
    // `sync` says nothing of blocks.
    if (name === 'blocks' || !this.#all.has(name)) this.want(name)
  }

  protected override async ask(name: Name): Promise<void> {
    const { contacts, blocks, rooms } = this.link.ask
    const ask = { contacts: contacts.list, blocks: blocks.list, invitations: rooms.invited }[name]
    const all: Entry[Name][] = []
    for (let more = true; more && all.length < MOST; ) {
      const last = all.at(-1)
      const page = await ask({ limit: PAGE, ...(last && { after: keyOf(last) }) })
      all.push(...(page as unknown as Record<Name, Entries>)[name])
      more = page.more
    }
    await this.#tell(name, all)
  }

  #tell(name: Name, entries: Entries): Promise<void> {
    this.#show(name, entries)
    return this.#write({ put: 'meta', key: [LISTS, name], value: entries })
  }

  #show(name: Name, entries: Entries): void {
    this.#all.set(name, entries)
    this.put(name, entries)
  }

  #write(change: Change): Promise<void> {
    // What is not kept is asked for.
    return this.#store.write([change]).catch(() => {})
  }
}

function keyOf(entry: Entry[Name]): string {
  return 'user' in entry ? entry.user : entry.room
}
