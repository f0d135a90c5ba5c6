import type { CatalogueOf } from '../../text/en.js'

export const en = {
  forwardMessage: 'Forward',
  saveMessage: 'Save for later',
  savedMessage: 'Saved: it is in your saved messages.',
  pinMessage: 'Pin',
  unpinMessage: 'Unpin',
  reportMessage: 'Report',
  messageTools: 'What to do with this message',
  react: 'React',
  reactWith: (emoji: string) => `React with ${emoji}`,
  moreReactions: 'Other reaction',
  reply: 'Reply',
  replyInThread: 'Reply in a thread',
  edit: 'Edit',
  earlierVersions: 'Earlier versions',
  copyText: 'Copy text',
  copyLink: 'Copy link',
  markUnread: 'Mark unread from here',
  deleteMessage: 'Delete',
  deleteTitle: 'Delete this message?',
  deleteOwnHint: 'It goes for everyone, with its reactions and earlier versions, and does not come back.',
  deleteOthersHint: 'You delete what someone else wrote, for everyone. They can see who did it.',
  dismiss: 'Dismiss',
  changeFailed: {
    edit: 'Not changed',
    delete: 'Not deleted',
    reaction: 'Reaction not sent',
    pin: 'Not pinned',
    unpin: 'Still pinned',
  },
}

export type ToolTexts = CatalogueOf<typeof en>
