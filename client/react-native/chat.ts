import type { Socket } from '../base/platform.js'
import { Chat, type ChatOptions } from '../chat.js'
import { people } from '../people/people.js'
import { timer } from '../requests/timer.js'
import { type KeyValueStorage, keyValueStore } from './key-value-store.js'
import { Lifecycle, type LifecycleParts } from './lifecycle.js'

declare const WebSocket: new (url: string, protocol: string) => Socket

/** Bytes of messages that are kept, if the app does not say: `AsyncStorage` has 6 MB on Android, for all of the app. */
const KEPT = 4_000_000

export interface ReactNativeParts extends LifecycleParts {
  /** Where the client keeps what has to survive, such as `AsyncStorage`. Left out: in memory. */
  readonly storage?: KeyValueStorage
  /** Ms for which the connection stays when the app is in the background. Left out: 30 s. */
  readonly backgroundGrace?: number
}

/**
 * A client of the broker, for apps of React Native. It connects with `connect()`.
 * @param parts Of the app: `AppState` of `react-native`, and what else it has
 * @throws ChatError `bad_request`: an option is not valid
 */
export function createChat(
  options: ChatOptions,
  { storage, backgroundGrace = 30_000, ...parts }: ReactNativeParts,
): Chat {
  const lifecycle = new Lifecycle(parts, backgroundGrace)
  return new Chat(
    {
      people: people(),
      ...(storage && { store: keyValueStore(storage) }),
      ...options,
      keep: { bytes: KEPT, ...options.keep },
    },
    {
      now: () => Date.now(),
      random: () => Math.random(),
      timer,
      hints: (listener) => lifecycle.hints(listener),
      socket: (address) => lifecycle.open(() => new WebSocket(address, 'mqtt')),
      ...(storage && { store: keyValueStore(storage) }),
    },
  )
}
