/** The wire contract for applications in TypeScript: topics, ids, messages, requests, errors, events and the configuration. */
export { AnnouncementInput } from './announcement.js'
export { API } from './api.js'
export type { FoldedMessage, GoneMessage, LoggedMessage, SentMessage } from './commands/shown-message.js'
export {
  COMMANDS,
  type Command,
  type CommandName,
  type CommandParams,
  type CommandResult,
  type HttpPage,
  type HttpRoute,
} from './commands.js'
export { type AclRule, type Config, ConfigError, ConfigSchema, type WebhookConfig } from './config.js'
export { ERRORS, type ErrorBody, type ErrorCode, type ErrorKind } from './errors.js'
export {
  ANONYMOUS,
  directMembers,
  directPeer,
  directRoom,
  isChannelId,
  isClientId,
  isDirectRoom,
  isRoomId,
  isUserId,
  SYSTEM,
} from './ids.js'
export {
  CHANGE_TYPES,
  Forwarded,
  LocationData,
  MENTION_ROOM,
  MESSAGE_TYPES,
  MessageInput,
  type MessageOutput,
  NotificationInput,
  PresenceInput,
  ReactionData,
  ReceiptInput,
  TypingInput,
} from './message.js'
export { allows, isAbove, PERMISSIONS, ROOM_ROLES, type RoomAct, type RoomRole } from './permissions.js'
export { PROBLEM_TYPE, Problem } from './problem.js'
export {
  deviceOf,
  type Filter,
  filterMatches,
  parseFilter,
  parseTopic,
  ROOM_LEAVES,
  type RoomLeaf,
  type Topic,
  topics,
  USER_LEAVES,
  type UserLeaf,
} from './topics.js'
export { WEBHOOK_EVENTS, type WebhookEvent } from './webhooks.js'
