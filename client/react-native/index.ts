/** The SDK for apps of React Native: what `topictalk/client` has, and what it needs of the app and the phone. */

export * from '../index.js'
export { createChat, type ReactNativeParts } from './chat.js'
export type { KeyValueStorage } from './key-value-store.js'
export type { AppStateLike, NetInfoLike } from './lifecycle.js'
