/** Keys that do something else than typing. Pure. */
import type { Key } from 'node:readline'

export type Action =
  | { readonly kind: 'quit' | 'suspend' | 'redraw' | 'clear' | 'newline' | 'complete' | 'editLast' | 'newest' }
  | { readonly kind: 'page'; readonly direction: -1 | 1 }
  /** The room of this number, from 1. */
  | { readonly kind: 'room'; readonly number: number }
  | { readonly kind: 'next'; readonly by: -1 | 1 }

const WITH_CTRL: Readonly<Record<string, Action>> = {
  z: { kind: 'suspend' },
  l: { kind: 'redraw' },
  n: { kind: 'next', by: 1 },
  p: { kind: 'next', by: -1 },
}

const PLAIN: Readonly<Record<string, Action>> = {
  pageup: { kind: 'page', direction: -1 },
  pagedown: { kind: 'page', direction: 1 },
  tab: { kind: 'complete' },
}

/** Null: it is typing. */
export function actionOf(
  { name = '', ctrl, meta }: Key,
  line: { isEmpty: boolean; isEditing: boolean },
): Action | null {
  if (ctrl && name === 'c') return { kind: line.isEmpty && !line.isEditing ? 'quit' : 'clear' }
  if (ctrl && name === 'd') return line.isEmpty ? { kind: 'quit' } : null
  if (ctrl) return own(WITH_CTRL, name)
  if (meta && /^[1-9]$/.test(name)) return { kind: 'room', number: Number(name) }
  if (meta) return name === 'return' || name === 'enter' ? { kind: 'newline' } : null
  if (name === 'up' && line.isEmpty) return { kind: 'editLast' }
  if (name === 'end' && line.isEmpty) return { kind: 'newest' }
  if (name === 'escape' && line.isEditing) return { kind: 'clear' }
  return own(PLAIN, name)
}

function own(table: Readonly<Record<string, Action>>, name: string): Action | null {
  return Object.hasOwn(table, name) ? table[name]! : null
}
