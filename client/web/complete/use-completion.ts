import { type ReadonlySignal, useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { isSame, type Token, tokenAt } from './token.js'

type Keys = (event: KeyboardEvent) => boolean

export interface Completion {
  /** Null: nothing is offered. */
  readonly token: ReadonlySignal<Token | null>
  /** To be called when the text or the caret has changed. */
  readonly look: (area: HTMLTextAreaElement, isComposing: boolean) => void
  /** Nothing is offered for what is being written any more. */
  readonly close: () => void
  /** Returns whether the key was for what is offered. */
  readonly keyed: Keys
  /** What is offered says what its keys are; null: it is not shown any more. */
  readonly listen: (keys: Keys | null) => void
}

/**
 * Finds what can be completed where one writes. What an input method is composing is not.
 * @param text As it is shown: with one that nobody has typed, such as when it was sent, nothing is offered
 */
export function useCompletion(text: string): Completion {
  const token = useSignal<Token | null>(null)
  const closed = useRef<Token | null>(null)
  const keys = useRef<Keys | null>(null)
  const seen = useRef(text)
  useLayoutEffect(() => {
    if (text === seen.current) return
    closed.current = null
    token.value = null
  }, [text])
  return useMemo(
    () => ({
      token,
      look({ value, selectionStart, selectionEnd }, isComposing) {
        seen.current = value
        const found = isComposing || selectionStart !== selectionEnd ? null : tokenAt(value, selectionStart)
        if (!isSame(found, closed.current)) closed.current = null
        token.value = closed.current ? null : found
      },
      close() {
        closed.current = token.peek()
        token.value = null
      },
      keyed: (event) => keys.current?.(event) ?? false,
      listen(listener) {
        keys.current = listener
      },
    }),
    [],
  )
}
