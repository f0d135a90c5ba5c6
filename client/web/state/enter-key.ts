/** What the Enter key does where a message is written, as the person chose in this browser. */
import { signal } from '@preact/signals'
import { save, saved } from './saved.js'

/** `send`: Enter sends, Shift+Enter begins a line. `line`: Enter begins a line, Ctrl+Enter sends, as on touch screens. */
export const ENTER_KEYS = ['send', 'line'] as const
export type EnterKey = (typeof ENTER_KEYS)[number]

export const enterKey = signal<EnterKey>(saved('enter') === 'line' ? 'line' : 'send')

export function chooseEnterKey(chosen: EnterKey): void {
  save('enter', chosen === 'send' ? null : chosen)
  enterKey.value = chosen
}
