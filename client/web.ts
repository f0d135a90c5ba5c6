/** The client on the web, and on what has the same globals: Node from 22 on, Deno, Bun, workers. */
import { ChatError } from './base/chat-error.js'
import type { Socket } from './base/platform.js'
import { Chat, type ChatOptions, type ChatPlatform } from './chat.js'
import { timer } from './requests/timer.js'
import { indexedDbStore } from './store/indexed-db/stores.js'
import type { Lock } from './store/lock.js'

/**
 * A client of the broker. It connects with `connect()`.
 * @param platform What the platform does not have, or a test decides instead: such as `socket` in Node 20
 * @throws ChatError `bad_request`: an option is not valid
 */
export function createChat(options: ChatOptions, platform: Partial<ChatPlatform> = {}): Chat {
  const locks = (globalThis as Page).navigator?.locks
  // Without locks, tabs that have one database would get in each other's way.
  const shared = locks && 'indexedDB' in globalThis
  const keeps = shared ? { store: indexedDbStore, lock: locks.request.bind(locks) as Lock } : {}
  return new Chat(options, { ...WEB, ...keeps, ...platform })
}

interface Target {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

/** What a page has, and workers and Node have in part. */
interface Page extends Partial<Target> {
  readonly document?: Target & { readonly visibilityState: string }
  /** Not over http. */
  readonly navigator?: {
    readonly locks?: { request: Lock }
  }
  readonly WebSocket?: new (url: string, protocol: string) => Socket
}

const WEB: ChatPlatform = {
  now: () => Date.now(),
  random: () => Math.random(),
  timer,
  hints(listener) {
    const page = globalThis as Page
    const shown = (): void => {
      if (page.document!.visibilityState === 'visible') listener()
    }
    page.addEventListener?.('online', listener)
    page.document?.addEventListener('visibilitychange', shown)
    return () => {
      page.removeEventListener?.('online', listener)
      page.document?.removeEventListener('visibilitychange', shown)
    }
  },
  socket(url) {
    const { WebSocket } = globalThis as Page
    if (WebSocket) return new WebSocket(url, 'mqtt')
    throw new ChatError(
      'not_implemented',
      'this platform has no WebSocket: give createChat one, as its second argument: { socket }',
    )
  },
}
