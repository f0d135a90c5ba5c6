import { plurals } from './plurals.js'

const count = plurals('en')

/** English. Its type is that of every language: what is missing in another one does not compile. */
export const en = {
  close: 'Close',
  cancel: 'Cancel',
  back: 'Back',
  retry: 'Try again',
  loading: 'Loading…',
  notLoaded: 'This part of the app could not be loaded.',
  notShown: 'This could not be shown.',
  skipToRoom: 'Skip to the conversation',

  account: 'Your account',
  accountOf: (name: string) => `Logged in as ${name}`,

  menu: 'Menu',
  startNew: 'New',
  searchMessages: 'Search messages',
  mentionsList: 'Mentions',
  mentionsNew: (n: number) => `Mentions (${n > 99 ? '99+' : n})`,
  savedMessages: 'Saved messages',
  followedThreads: 'Followed threads',
  goTo: 'Go to…',
  deviceOffered: (user: string) => `${user} gives you a device: see Devices in the menu.`,
  devices: 'Devices',
  shortcuts: 'Keyboard shortcuts',

  rooms: 'Conversations',
  conversation: 'Conversation',
  newRoom: 'New room',
  findRoom: 'Find a room',
  newMessage: 'Write to someone',
  noRooms: 'Nothing here yet',
  noRoomsHint: 'Find a room, make one and invite others, or write to someone.',
  noMessagesYet: 'No messages yet',
  you: 'You',
  said: (name: string, text: string) => `${name}: ${text}`,
  unread: (n: number) => count(n, { one: '# unread message', other: '# unread messages' }),
  mentions: (n: number) => count(n, { one: '# mention', other: '# mentions' }),
  atMost: '99+',
  presence: { online: 'online', away: 'away', offline: 'offline' },

  filter: 'Which conversations',
  filters: { all: 'All', unread: 'Unread', people: 'People', rooms: 'Rooms', hidden: 'Hidden' },
  noneListed: 'None of these',
  pinned: 'at the top',
  muted: 'muted',
  markedUnread: 'marked as unread',
  menuOf: (name: string) => `Menu of ${name}`,
  aboutRoom: 'About this room',
  aboutPerson: 'About this person',

  members: (n: number) => count(n, { one: '# member', other: '# members' }),
  choose: 'Choose a conversation',
  noSuchPage: 'There is nothing at this address',
  beginning: 'This is where it begins',
  messages: 'Messages',
  today: 'Today',
  yesterday: 'Yesterday',
  newSince: 'New',
  edited: 'edited',
  gone: {
    deleted: 'Message deleted',
    expired: 'Message expired',
    retention: 'Message no longer kept',
    blocked: 'Message of someone you blocked',
  },
  gap: (n: number) => count(n, { one: '# message was not loaded', other: '# messages were not loaded' }),
  load: 'Load',
  showAll: 'Show all',

  copyCode: 'Copy the code',
  copied: 'Copied',

  attachment: 'File',
  location: 'Location',
  data: 'Data',
  encrypted: 'Encrypted message',

  delivered: 'Delivered',
  read: 'Read',
  seenBy: (n: number) => count(n, { one: 'Seen by #', other: 'Seen by #' }),
  forwardedFrom: 'Forwarded from',
  within: (metres: number) => `(within ${metres} m)`,

  toDate: 'Go to a date',
  notHere: 'That message is not here any more.',
  nothingSince: 'Nothing was written since that day.',

  toLatest: 'To the newest message',
  toLatestNew: (n: number) => count(n, { one: '# new message below', other: '# new messages below' }),
  newMessages: (n: number) => count(n, { one: '# new message', other: '# new messages' }),
  typing: (names: readonly string[]) =>
    names.length > 3
      ? 'Several people are typing…'
      : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`,

  more: 'More',
  reactions: 'Reactions',
  reactionOf: (emoji: string, n: number) =>
    `${emoji}, ${count(n, { one: '# person', other: '# people' })}. Join or take back`,
  whoReacted: 'Who?',
  replies: (n: number) => (n >= 100 ? '100+ replies' : count(n, { one: '# reply', other: '# replies' })),
  quoteMissing: 'The message is not there any more',
  thread: 'Thread',
  threads: 'Threads',
  editing: 'Editing your message',
  discardTitle: 'Discard what you have changed?',
  discard: 'Discard',

  write: 'Message',
  writeTo: (name: string) => `Message to ${name}`,
  send: 'Send',
  mayNotWrite: 'Only moderators write here.',
  archived: 'This room is archived: it can only be read.',
  tooLongBy: (n: number) =>
    count(n, {
      one: 'This is too long for one message by # character.',
      other: 'This is too long for one message by # characters.',
    }),
  tooLong: 'This is too long for one message.',
  sending: 'Sending',
  queued: 'Waiting to be sent',
  sent: 'Sent',
  failed: 'Not sent',
  delete: 'Delete',

  mutedHere: 'A moderator has muted you here: you can read, not write.',
  mutedUntil: (time: string) => `A moderator has muted you here: you can read, not write, until ${time}.`,
  slowMode: (seconds: number) =>
    count(seconds, { one: 'Slow mode: a message every second.', other: 'Slow mode: a message every # seconds.' }),
  slowWait: (seconds: number) =>
    count(seconds, { one: 'You can send again in # second', other: 'You can send again in # seconds' }),
  noCommand: (name: string) => `No bot here has a command /${name}. Send it again to say it as a text.`,
  commandTaken: (bot: string) => `${bot} has got the command.`,

  files: {
    attach: 'Attach files',
    drop: 'Let go to attach',
    tooLarge: (name: string, limit: string) => `${name} is too large: a file may have ${limit} at most.`,
    tooMany: (n: number) => count(n, { one: 'A message has # file at most.', other: 'A message has # files at most.' }),
    wrongType: (name: string) => `Files of the kind of ${name} cannot be sent here.`,
    empty: (name: string) => `${name} is empty, or a folder.`,
    uploading: 'Sending the files',
    progress: (done: string, total: string) => `${done} of ${total}`,
    checking: 'The server looks at it…',
    cancel: 'Cancel sending',
    enlarge: (words: string) => `Enlarge: ${words}`,
    record: 'Record a voice message',
    picture: 'Picture',
    save: (name: string) => `Save ${name}`,
    openAt: (name: string, host: string) => `Open ${name} at ${host}`,
    gone: 'The file is not there any more.',
    blocked: 'The server does not take this file: it was found to be harmful.',
    unreadable: 'The server cannot read this picture.',
    noSpace: 'There is no space for more of your files on the server.',
  },

  emoji: 'Emoji',
  offline: 'No connection.',
  offlineHint: 'What you write is sent as soon as there is one.',
  waitingToSend: (n: number) => count(n, { one: '# message waits', other: '# messages wait' }),
  retryNow: 'Try now',

  newVersion: 'A new version is ready.',
  reload: 'Reload',
  later: 'Later',

  problems: {
    login: 'The name or the password is wrong.',
    code: 'The code is wrong, or was used before.',
    nameTaken: 'This name is taken.',
    name: 'This cannot be a user name.',
    password: 'This password is not accepted: choose one of six characters or more.',
    roomTaken: 'There is a room with this address.',
    roomName: 'This cannot be the address of a room.',
    invite: 'This invitation is not good, or not any more.',
    tooFast: (seconds: number) =>
      seconds > 0
        ? count(seconds, { one: 'Too fast: wait a second.', other: 'Too fast: wait # seconds.' })
        : 'Too fast: wait a moment.',
    offline: 'There is no connection to the server.',
    forbidden: 'You may not do this.',
    notFound: 'This does not exist, or not any more.',
    tooLarge: 'This is too large.',
    storage: 'There is no space left on this device.',
    unavailable: 'The server cannot do this at the moment.',
    other: 'This did not work.',
  },
}

/** The type of the texts of any language, from those of one. */
export type CatalogueOf<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...a: never[]) => string
      ? T[K]
      : CatalogueOf<T[K]>
}

export type Catalogue = CatalogueOf<typeof en>
