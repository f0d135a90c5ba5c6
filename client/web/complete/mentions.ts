/** Whom a text mentions. */
import type { Chat } from '../../index.js'

/** As ids of users are. */
const MENTION = /(?:^|[\s([])@([A-Za-z0-9][A-Za-z0-9._@|~-]{0,127})/g
/** What ends a sentence, not a name. */
const ENDING = /[.,-]+$/
/** People who were found that are remembered. */
const MOST = 1000

const found = new WeakMap<Chat, readonly string[]>()

/** Whom completion has found: of large rooms not all members are known, and others may be named too. */
export function foundBy(chat: Chat): readonly string[] {
  return found.get(chat) ?? []
}

export function noteFound(chat: Chat, users: readonly string[]): void {
  found.set(chat, [...new Set([...foundBy(chat), ...users])].slice(-MOST))
}

/**
 * As a message says it: `@user`, of those that are known alone, as not every @ is a mention.
 * @param users Whom it may mean; null: that is not known yet, and whoever is named is meant
 * @param mayAll `@room` mentions everyone
 */
export function mentionsIn(text: string, users: readonly string[] | null, mayAll: boolean): string[] {
  const known = users && new Map(users.map((user) => [user.toLowerCase(), user]))
  const named = [...text.matchAll(MENTION)].flatMap(([, name = '']) => {
    const short = name.replace(ENDING, '')
    if (short.toLowerCase() === 'room') return mayAll ? '@room' : []
    const user = known ? (known.get(name.toLowerCase()) ?? known.get(short.toLowerCase())) : short
    return user === undefined ? [] : `@${user}`
  })
  // As many as a message takes.
  return [...new Set(named)].slice(0, 100)
}
