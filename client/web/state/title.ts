/** The title of the tab: what is shown, and how much is unread. */
import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { brand } from './brand.js'

const shown = signal('')
/** Messages that are unread. */
export const badge = signal(0)

/** Of what is shown, as long as it is. */
export function useTitle(title: string): void {
  useEffect(() => {
    shown.value = title
    return () => {
      if (shown.peek() === title) shown.value = ''
    }
  }, [title])
}

export function startTitle(): void {
  effect(() => {
    const title = shown.value === '' ? brand.name : `${shown.value} · ${brand.name}`
    document.title = badge.value > 0 ? `(${badge.value}) ${title}` : title
  })
}
