/** What is shown of a room's messages beside the room: counts. */
import Type from 'typebox'

export const place = (description: string) => Type.Integer({ minimum: 0, description })

/** What a member has not read of a room. */
export const unreadCounts = {
  read: place(
    'seq of the last message the caller has read, or of the last one before they joined; after markUnread, the one before the marked message.',
  ),
  unread: Type.Integer({
    minimum: 0,
    maximum: 100,
    description:
      'Messages of others since then, without edits, reactions, replies in threads, and deleted or expired messages. 100 means 100 or more.',
  }),
  mentions: Type.Integer({
    minimum: 0,
    maximum: 100,
    description: 'Messages since then, in threads too, that mention the caller or @room. 100 means 100 or more.',
  }),
  notify: Type.Integer({
    minimum: 0,
    maximum: 100,
    description:
      'Messages since then that notify the caller, by notifications.settings and rooms.settings as they are now. 100 means 100 or more.',
  }),
  atLeast: Type.Optional(
    Type.Literal(true, {
      description:
        'There may be more: only the newest messages were counted (limits.unreadEntries, unreadBytes, unreadMentions and keywordBytes of the broker).',
    }),
  ),
}

export const counts = { head: place('seq of the newest message; 0: none yet.'), ...unreadCounts }
