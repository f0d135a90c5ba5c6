import { ChatError } from '../base/chat-error.js'
import type { OpenFiles } from '../files/port.js'
import {
  type Chat,
  type ChatOptions,
  type ChatPlatform,
  createChat as createWebChat,
  fileTransfers,
  people,
} from '../index.js'
import type { OpenStore } from '../store/store.js'
import { directoryStore } from './directory-store.js'
import { fetchOver } from './fetch-over.js'
import { addressOf, socketTo, type TlsOptions } from './sockets.js'

export interface NodeChatOptions extends Omit<ChatOptions, 'store'> {
  /** As on the web; or of its MQTT listener, `mqtt://host` (port 1883) or `mqtts://host` (8883). */
  readonly url: string
  /** Of the connection, and of what fetches files unless `files` says otherwise. */
  readonly tls?: TlsOptions
  /** `memory` (the default), the path of a directory (see `directoryStore`) such as `./chat`, or a function that makes a store. */
  readonly store?: string | OpenStore
  /** Left out: `fileTransfers()`, if `url` is one of HTTP or WebSocket. */
  readonly files?: OpenFiles
}

/**
 * A client of the broker, for programs on Node. It connects with `connect()`; after `close()` nothing of it keeps the process running.
 * @param platform What a test decides instead
 * @throws ChatError `bad_request`: an option is not valid
 */
export function createChat(
  { tls, store = 'memory', ...options }: NodeChatOptions,
  platform: Partial<ChatPlatform> = {},
): Chat {
  return createWebChat(
    {
      ...filesAt(options.url, tls),
      people: people(),
      ...options,
      store: storeAt(store),
    },
    {
      address: addressOf,
      socket: (address) => socketTo(address, tls),
      ...platform,
    },
  )
}

function storeAt(store: string | OpenStore): 'memory' | OpenStore {
  if (store === 'memory' || typeof store === 'function') return store
  if (store === 'auto')
    throw new ChatError('bad_request', 'store: a program on Node says in which directory', { field: 'store' })
  return directoryStore(store)
}

/** Unless the options say otherwise. */
function filesAt(url: string, tls: TlsOptions | undefined): Pick<ChatOptions, 'files'> {
  return /^(http|ws)/i.test(url) ? { files: fileTransfers(tls && { fetch: fetchOver(tls) }) } : {}
}
