/** What an application asks the broker with, in a browser as in Node: a client that stays connected, and typed methods over HTTP or a connection of its own. */

export { ChatError, type ClientErrorCode } from './base/chat-error.js'
export type { Live } from './base/live.js'
export type { Chat, ChatOptions, ChatPlatform } from './chat.js'
export type { Credentials, GetToken, TokenReason } from './connection/credentials.js'
export type { RetryReason, SignOutReason, Status } from './connection/status.js'
export type { Call, CallOptions } from './requests/calls.js'
export { type HttpOptions, httpCalls } from './requests/http-calls.js'
export { type Methods, methods } from './requests/methods.js'
export { type MqttConnection, type MqttOptions, mqttCalls } from './requests/mqtt-calls.js'
export { createChat } from './web.js'
