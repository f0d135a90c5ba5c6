import { useEffect, useRef, useState } from 'preact/hooks'

/** A text that is being written, and how to change it. A new `value` from elsewhere is shown, unless something else is being written. */
export function useDraft(value: string) {
  const [text, setText] = useState(value)
  const before = useRef(value)
  useEffect(() => {
    setText((now) => (now === before.current ? value : now))
    before.current = value
  }, [value])
  return [text, setText] as const
}
