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

/** The same of one room. */
export function ofRoom<T>(make: () => T): (chat: Chat, room: string) => T {
  const madeOf = ofChat(() => new Map<string, T>())
  return (chat, room) => {
    const made = madeOf(chat)
    const known = made.get(room) ?? make()
    made.set(room, known)
    return known
  }
}
