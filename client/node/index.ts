/** The SDK for programs on Node: what `topictalk/client` has, over TCP too, with stores in directories. */

export * from '../index.js'
export { createChat, type NodeChatOptions } from './chat.js'
export { directoryStore } from './directory-store.js'
export { fetchOver } from './fetch-over.js'
export { fileAt } from './file-at.js'
export type { TlsOptions } from './sockets.js'
