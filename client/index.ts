/** What an application asks the broker with, in a browser as in Node: a client that stays connected, and typed methods over HTTP or a connection of its own. */

export { ChatError, type ClientErrorCode } from './base/chat-error.js'
export type { Live } from './base/live.js'
export type { Chat, ChatOptions, ChatPlatform } from './chat.js'
export type { Credentials, GetToken, TokenReason } from './connection/credentials.js'
export type { RetryReason, SignOutReason, Status } from './connection/status.js'
export type { Keep } from './engine/trim.js'
export { type FileTransferOptions, fileTransfers } from './files/file-transfers.js'
export type { Files, OpenFiles, ReadOptions, ShowOptions } from './files/port.js'
export type { Attach, Attachment, LocalFile } from './outbox/files.js'
export type { Outgoing, SendInput, SendOptions, SendState, Sent } from './outbox/outgoing.js'
export type { ChatEvents } from './people/events.js'
export { people } from './people/people.js'
export type {
  Account,
  AccountData,
  Block,
  Contact,
  Invitation,
  Member,
  Members,
  OpenPeople,
  Presence,
  Profile,
  Users,
} from './people/port.js'
export { type ReceiptState, type Receipts, receiptOf } from './people/receipts.js'
export type { Call, CallOptions } from './requests/calls.js'
export { type HttpOptions, httpCalls } from './requests/http-calls.js'
export { type Methods, methods } from './requests/methods.js'
export { type MqttConnection, type MqttOptions, mqttCalls } from './requests/mqtt-calls.js'
export { type Pages, pagesOf } from './requests/pages.js'
export type { Core, WithCore } from './rooms/core.js'
export { type DeviceNews, followDevice } from './rooms/device-news.js'
export { type DraftPlace, Drafts, draftsOf } from './rooms/drafts.js'
export type { Item } from './rooms/items.js'
export { type ChatLogOptions, messagesOf, type RoomLogOptions } from './rooms/log-reader.js'
export type { Content, Room, RoomInfo, Target } from './rooms/room.js'
export type { RoomSummary, Unread } from './rooms/room-list.js'
export type { Edge, Place, Timeline, TimelineOptions, TimelineState } from './rooms/timeline.js'
export type { Lock } from './store/lock.js'
export { isFull } from './store/storage-error.js'
export type { Change, Key, OpenStore, Range, Row, Store, StoreOwner, Table } from './store/store.js'
export { createChat } from './web.js'
export { eventStream } from './wire/events/ladder.js'
export type { Fallback } from './wire/wire.js'
