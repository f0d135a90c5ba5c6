/** What parts of the app keep of a client, as long as that is kept. */
import type { Chat } from '../../index.js'

/** Made when it is asked for first. */
export function ofChat<T extends object>(make: (chat: Chat) => T): (chat: Chat) => T {
  const made = new WeakMap<Chat, T>()
  return (chat) => {
    const known = made.get(chat) ?? make(chat)
    made.set(chat, known)
    return known
  }
}
