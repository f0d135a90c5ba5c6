/** What a composer is about: nothing, so that it writes a new message, or another message. */
import { effect, type Signal, signal } from '@preact/signals'
import type { Content, Target } from '../../index.js'

export type About =
  /** The seq of the message that is answered. */
  | { readonly kind: 'reply'; readonly seq: number }
  /** `text` as it is being changed, `was` as it was, and the rest of what an edit puts in place. */
  | {
      readonly kind: 'edit'
      readonly target: Target
      readonly text: string
      readonly was: string
      readonly rest: Omit<Content, 'text'>
    }

/** Composers that are remembered. */
const MOST = 100
const PREFIX = 'topictalk:reply:'
const known = new Map<string, Signal<About | null>>()

/** Of the composer of a room or thread. What is answered is there again after a reload, with the draft; an edit begins anew. */
export function aboutOf(user: string, room: string, thread: number | null): Signal<About | null> {
  const key = `${PREFIX}${user}/${room}/${thread ?? ''}`
  const before = known.get(key)
  if (before) return before
  const seq = Number(read(key))
  const made = signal<About | null>(seq > 0 ? { kind: 'reply', seq } : null)
  effect(() => write(key, made.value?.kind === 'reply' ? String(made.value.seq) : null))
  known.set(key, made)
  for (const [oldest] of known) {
    if (known.size <= MOST) break
    known.delete(oldest)
  }
  return made
}

/** When a user logs out: nothing of theirs stays. */
export function forgetAbout(): void {
  for (const about of known.values()) about.value = null
  known.clear()
  try {
    // Also of rooms that were not shown since a reload.
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key)
  } catch {
    // It keeps nothing.
  }
}

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key)
  } catch {
    return null
  }
}

/** A browser that keeps nothing is no error. */
function write(key: string, value: string | null): void {
  try {
    if (value === null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, value)
  } catch {
    // It lasts as long as the page.
  }
}
