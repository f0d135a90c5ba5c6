import type { MENTION_COMMANDS } from '../../../schemas/commands/mentions.js'
import type { Store } from '../../store/store.js'
import { FoldedMessages } from '../history/folded.js'
import { type Mention, readMentions } from '../history/mention-inbox.js'
import type { Unread } from '../history/unread.js'
import { requireUser } from '../model/actor.js'
import { listedBytes } from '../model/paging.js'
import { type Place, readCursor, restOfPage } from '../model/places.js'
import { logs } from '../model/views.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the messages. */
const ENVELOPE = 1024
/** Notes of mentions that are read for one page. */
const MAX_SCANNED = 20_000

export interface MentionCommandDeps {
  readonly store: Store
  readonly unread: Unread
  readonly replyBytes: number
}

export function mentionCommands(deps: MentionCommandDeps): Handlers<keyof typeof MENTION_COMMANDS> {
  const { store, replyBytes } = deps
  return {
    'mentions.list': async (actor, { cursor, limit = 20 }) => {
      const members = [...store.directory.memberships(requireUser(actor)).values()]
      const after = cursor === undefined ? null : readCursor(cursor)
      const page = await readMentions(store, members, { after, limit, scanned: MAX_SCANNED })
      const texts: string[] = []
      let bytes = ENVELOPE
      let last = page.next
      for (const mention of page.mentions) {
        const text = await render(deps, mention)
        bytes += listedBytes(text ?? '')
        if (texts.length > 0 && bytes > replyBytes) return pageOf(texts, last)
        if (text !== null) texts.push(text)
        last = mention.place
      }
      return pageOf(texts, page.next)
    },
  }
}

/** JSON; null: the user has left the room meanwhile. */
async function render({ store, unread }: MentionCommandDeps, { member, entry }: Mention): Promise<string | null> {
  const { room, user, since } = member
  const [message] = await new FoldedMessages(store, logs.messages(room), user).render([entry])
  const now = store.directory.member(room, user)
  if (now?.since !== since) return null
  return `{"room":${JSON.stringify(room)},"read":${unread.hasRead(now, entry)},"message":${message}}`
}

function pageOf(mentions: readonly string[], next: Place | null): string {
  return `{"mentions":[${mentions.join(',')}],${JSON.stringify(restOfPage(next)).slice(1)}`
}
