import { ChatError } from '../base/chat-error.js'
import type { Change, Key } from './store.js'

/** Below 0: `a` comes first; 0: they are the same. */
export function compareKeys(a: Key, b: Key): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const order = compareParts(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareParts(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

export function beginsWith(key: Key, prefix: Key): boolean {
  return prefix.every((part, i) => key[i] === part)
}

/** @throws ChatError `storage`: one has no place in the order */
export function checkKeys(changes: readonly Change[]): void {
  for (const change of changes)
    if ('key' in change && change.key.some(Number.isNaN))
      throw new ChatError('storage', `not a key: ${change.key.join(', ')}`)
}
