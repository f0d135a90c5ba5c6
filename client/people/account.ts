/** Private data of the user, by name: what an application keeps for all clients of the user. */
import type { ChatError } from '../base/chat-error.js'
import type { Live } from '../base/live.js'
import type { Item } from '../engine/inbox.js'
import type { Link } from './link.js'
import { Pool } from './pool.js'
import type { Account, AccountData } from './port.js'

/** By name. */
export class AccountValues extends Pool<AccountData | null> implements Account {
  constructor(link: Link) {
    super(link, null)
  }

  data(name: string): Live<AccountData | null> {
    return this.get(name)
  }

  /** It is shown by the event that tells of it. */
  async set(name: string, value: unknown, options: { readonly ifVersion?: number } = {}): Promise<void> {
    await this.link.ask.account.data.set({ name, value, ...options })
  }

  heard(item: Item): void {
    if (item.kind !== 'userEvent' || item.event.type !== 'accountData') return
    const { name = '', version } = item.event
    const known = this.watched(name)
    if (known && known.current?.version !== version) this.want(name)
  }

  protected override async ask(name: string): Promise<void> {
    const none = (error: ChatError): null => {
      if (error.code === 'not_found') return null
      throw error
    }
    this.put(name, await this.link.ask.account.data.get({ name }).catch(none))
  }
}
