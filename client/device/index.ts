/** For devices: telemetry, a state and commands, in a program that is as small as a device. Nothing of rooms and messages is in it. */

export { ChatError, type ClientErrorCode } from '../base/chat-error.js'
export type { Live } from '../base/live.js'
export type { Credentials, GetToken, TokenReason } from '../connection/credentials.js'
export type { RetryReason, SignOutReason, Status } from '../connection/status.js'
export type { TlsOptions } from '../node/sockets.js'
export type { Command, CommandHandler } from './commands.js'
export { connectDevice, type Device, type DeviceOptions } from './device.js'
export type { BufferOptions, Waiting } from './outgoing.js'
