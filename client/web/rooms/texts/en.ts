import type { CatalogueOf } from '../../text/en.js'

export const en = {
  optional: 'optional',
  byRequest: 'on request',
  roomId: 'Address of the room',
  roomIdHint: 'Letters, digits, . _ and -: others find it by this.',
  roomName: 'Name',
  roomTopic: 'What it is about',
  access: 'Who may come in',
  accesses: { public: 'Everyone', request: 'Who asks and is let in', private: 'Who is invited; hidden from others' },
  create: 'Create',
  search: 'Search',
  findHint: 'By name or address',
  noRoomsFound: 'No room with that name',
  noPublicRooms: 'There are no public rooms yet',
  joined: 'You are a member',
  searchPeople: 'Who do you want to write to?',
  peopleHint: 'By name or user name',
  noPeople: 'Nobody by that name',

  roomMembers: 'Members',
  invitePeople: 'Invite people',
  forGood: 'for good',
  roomActs: {
    markRead: 'Mark as read',
    markUnread: 'Mark as unread',
    pin: 'Keep at the top',
    unpin: 'Do not keep at the top',
    mute: (time: string) => `Mute: ${time}`,
    unmute: 'Unmute',
    hide: 'Hide',
    show: 'Do not hide',
  },
  leave: {
    room: 'Leave the room',
    yes: 'Leave',
    ask: (name: string) => `Leave ${name}?`,
    fromPublic: 'You can join again later.',
    fromOther: 'You can come back only if you are let in again.',
    asOwner:
      'You are an owner. A room with members keeps at least one: if you are the only one, make someone else an owner first.',
    lastOwner: 'You are the only owner: make someone else an owner first, or delete the room.',
  },
}

export type DialogTexts = CatalogueOf<typeof en>
