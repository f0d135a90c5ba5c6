import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import { announce } from './announcer.js'

/** Something that may be done, and may wait. @param children Buttons */
export function Notice({ text, children }: { text: string; children: ComponentChildren }) {
  useEffect(() => announce(text), [text])
  return (
    <div class="notice-bar">
      <p>{text}</p>
      {children}
    </div>
  )
}
