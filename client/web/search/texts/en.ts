import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  filters: 'Filters',
  query: 'Words in messages and names of files',
  queryHint: '"two words" next to each other, begin* for the beginning of a word',
  within: 'In',
  everywhere: 'All conversations',
  from: 'From',
  fromHint: 'User name',
  since: 'From day',
  until: 'To day',
  clear: 'Clear filters',
  results: 'Messages found',
  found: (n: number, isAll: boolean) =>
    isAll ? count(n, { one: '# message', other: '# messages' }) : count(n, { other: 'The newest # messages' }),
  nothingFound: 'No message has all of these words',
  nothingFoundHint: 'Try fewer words, the beginning of a word (begin*), or other filters.',
  searchFor: 'Search your messages',
  searchForHint: 'In all rooms and conversations that you are in, as far back as they are kept.',
  pending: (n: number) =>
    count(n, { one: '# newer entry is not searched yet.', other: '# entries are not searched yet.' }),
  searchOff: 'This server does not search messages.',
  badQuery: 'A search takes up to 16 words, and two letters at least before *.',

  mentions: 'Mentions',
  noMentions: 'Nobody has mentioned you yet',
  noMentionsHint: 'Messages with @you or @room come together here.',
  notRead: 'Not read yet',

  saved: 'Saved messages',
  noSaved: 'You have saved nothing yet',
  noSavedHint: 'Save a message from its menu, to find it here. Nobody else sees that.',
  unsave: 'Remove from saved messages',
  savedGone: 'The message is not shown to you any more.',
  note: 'Note',
  noteHint: 'Only you see it.',
  addNote: 'Add a note',
  changeNote: 'Change the note',
  saveNote: 'Save',

  threads: 'Followed threads',
  noThreads: 'You follow no threads yet',
  noThreadsHint: 'Follow a thread, and what is new in it is counted here.',
  unreadReplies: (n: number) => count(n, { one: '# new reply', other: '# new replies' }),
  replies: (n: number) => count(n, { one: '# reply', other: '# replies' }),

  jumpTo: 'Go to',
  jumpToField: 'Name of a room or a person',
  places: 'Rooms and people',
  noPlaces: 'No room and nobody by that name',
  person: 'Person',
  switcherHint: '↑ ↓ to choose, Enter to open',

  shortcuts: 'Keyboard shortcuts',
  shortcutOf: {
    switcher: 'Go to a room or a person',
    search: 'Search messages',
    nextRoom: 'Next or previous conversation',
    nextUnread: 'Next or previous with unread messages',
    markRead: 'Mark the conversation as read',
    help: 'These shortcuts',
    send: 'Send the message',
    line: 'New line',
    move: 'Move in a list',
    close: 'Close what is open',
  },
}
