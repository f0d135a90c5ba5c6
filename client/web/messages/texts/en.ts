import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  forward: 'Forward',
  forwardTo: 'Forward to',
  forwardNow: (n: number) => count(n, { one: 'Forward to #', other: 'Forward to #' }),
  forwarded: 'Forwarded',
  findConversation: 'Search your conversations',
  noConversation: 'No conversation by that name',
  comment: 'Comment',
  commentHint: 'Sent after the message, if you write one.',

  pickEmoji: 'Choose an emoji',
  searchEmoji: 'Search, in English',
  noEmoji: 'No emoji by that name',
  groups: {
    faces: 'Faces',
    hands: 'Hands and people',
    hearts: 'Hearts',
    nature: 'Nature',
    food: 'Food and drink',
    things: 'Things',
    signs: 'Signs',
  },
  whoReacted: 'Who reacted',
  noReactions: 'Nobody, not any more.',
  versions: 'Versions of this message',
  asSent: 'as it was sent',
  replyTo: 'Reply in this thread',
  noThreads: 'No threads yet',
  noThreadsHint: 'A reply in a thread keeps a subject together, without the room having to follow it.',
  follow: 'Follow',
  unfollow: 'Stop following',
  followHint: 'Followed threads say what is unread in them.',
}

export type Messages = CatalogueOf<typeof en>
