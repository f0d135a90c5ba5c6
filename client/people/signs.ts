/** What goes on in the rooms of the user. */
import { directRoom } from '../../schemas/ids.js'
import { Events } from './events.js'
import { Link, type LinkOptions } from './link.js'
import { RoomReceipts } from './receipts.js'
import { OwnTyping, TypingUsers } from './typing.js'

export class Signs {
  readonly link: Link
  readonly typing: TypingUsers
  readonly ownTyping: OwnTyping
  readonly receipts: RoomReceipts
  readonly events: Events

  constructor(options: LinkOptions) {
    const link = new Link(options)
    this.link = link
    this.typing = new TypingUsers(link)
    this.ownTyping = new OwnTyping(link)
    this.receipts = new RoomReceipts(link)
    this.events = new Events(link)
  }

  /** A message is on its way to a room, or `@user`. */
  sent(to: string): void {
    const me = this.link.replica.user
    this.ownTyping.sent(me !== null && to.startsWith('@') ? directRoom(me, to.slice(1)) : to)
  }
}
