import { useEffect, useState } from 'preact/hooks'
import { announce } from './announcer.js'

/** Ms for which it says that it has copied. */
const SAID = 2000

interface CopyButtonProps {
  readonly text: string
  readonly label: string
  /** What it says when it has copied. */
  readonly copied: string
}

/** Where the browser lets no page copy, as over http, the text is there to be selected. */
export function CopyButton({ text, label, copied }: CopyButtonProps) {
  const [isDone, setDone] = useState(false)
  useEffect(() => {
    if (!isDone) return
    const timer = setTimeout(() => setDone(false), SAID)
    return () => clearTimeout(timer)
  }, [isDone])
  if (!isSecureContext) return null
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    announce(copied)
    setDone(true)
  }
  return (
    <button type="button" class="button small" onClick={() => void copy().catch(() => {})}>
      {isDone ? copied : label}
    </button>
  )
}
