/** A word on what was done out of sight, or did not work. It lies over the page, and goes by itself. */
import { useSignalEffect } from '@preact/signals'
import { signalOfUser } from '../state/of-user.js'
import { texts } from '../text/text.js'
import { announce } from './announcer.js'
import { Icon } from './icon.js'

/** Ms. */
const SHOWN = 8000

const shown = signalOfUser<{ readonly text: string } | null>(null)

export function showToast(text: string): void {
  shown.value = { text }
  announce(text)
}

export function Toast() {
  useSignalEffect(() => {
    if (!shown.value) return
    const timer = setTimeout(() => {
      shown.value = null
    }, SHOWN)
    return () => clearTimeout(timer)
  })
  if (!shown.value) return null
  return (
    // It was announced.
    <div class="banner at-end" role="status" aria-live="off">
      <p>{shown.value.text}</p>
      <button
        type="button"
        class="button quiet square"
        onClick={() => (shown.value = null)}
        aria-label={texts.value.close}
      >
        <Icon name="close" />
      </button>
    </div>
  )
}
