import { useLayoutEffect, useRef } from 'preact/hooks'
import { enterKey } from '../state/enter-key.js'
import { texts } from '../text/text.js'
import type { Area } from '../ui/area.js'
import { isTouch } from '../ui/touch.js'

interface WriteAreaProps {
  readonly area: Area
  /** Tells it from those of other rooms and threads. */
  readonly place: string
  readonly title: string
  readonly text: string
  readonly write: (text: string) => void
  readonly send: () => void
  /** Files that were pasted; null: they cannot be sent. */
  readonly take: ((files: readonly File[]) => void) | null
  /** The text, or the caret, has changed. */
  readonly look: (area: HTMLTextAreaElement, isComposing: boolean) => void
  /** Returns whether a key had another meaning. */
  readonly keyed: (event: KeyboardEvent) => boolean
}

/** Keys that move the caret. */
const MOVES = /^(Arrow|Home|End)/

/** Where a message is written. */
export function WriteArea({ area, place, title, text, write, send, take, look, keyed }: WriteAreaProps) {
  const t = texts.value
  useHeight(area, text)
  useFocus(area, place)
  return (
    <textarea
      ref={area as { current: HTMLTextAreaElement | null }}
      rows={1}
      // What is empty is written in the direction of the page.
      dir={text === '' ? undefined : 'auto'}
      value={text}
      aria-label={t.writeTo(title)}
      placeholder={t.write}
      enterkeyhint={isTouch() ? 'enter' : 'send'}
      aria-autocomplete="list"
      onInput={({ currentTarget, isComposing }) => {
        write(currentTarget.value)
        look(currentTarget, isComposing)
      }}
      onCompositionStart={({ currentTarget }) => look(currentTarget, true)}
      onCompositionEnd={({ currentTarget }) => look(currentTarget, false)}
      onKeyUp={(event) => void (MOVES.test(event.key) && look(event.currentTarget, isComposing(event)))}
      onClick={({ currentTarget }) => look(currentTarget, false)}
      onPaste={(event) => {
        const files = take ? filesOf(event) : []
        if (files.length === 0) return
        event.preventDefault()
        take?.(files)
      }}
      onKeyDown={(event) => {
        if (!isComposing(event) && keyed(event)) return event.preventDefault()
        if (!sends(event)) return
        event.preventDefault()
        send()
      }}
    />
  )
}

export function useArea(): Area {
  return useRef<HTMLTextAreaElement>(null)
}

/** The key is for an input method: some say so by its code alone (229). */
function isComposing({ isComposing, keyCode }: KeyboardEvent): boolean {
  return isComposing || keyCode === 229
}

/** Enter sends, but not what an input method is composing. On touch screens, and for who wants it so, it begins a line. */
function sends(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || isComposing(event)) return false
  return event.ctrlKey || event.metaKey || !(event.shiftKey || event.altKey || isTouch() || enterKey.value === 'line')
}

/** Programs that copy text give a picture of it, too. */
function filesOf({ clipboardData }: ClipboardEvent): readonly File[] {
  return clipboardData?.types.includes('text/plain') ? [] : [...(clipboardData?.files ?? [])]
}

/** As high as its text; styles say up to where. */
function useHeight(area: Area, text: string): void {
  useLayoutEffect(() => {
    const { current } = area
    if (!current) return
    // One line. To measure it would lay out the page, which may have just been made, before all of it is there.
    current.style.height = text === '' ? '' : 'auto'
    if (text === '') return
    current.style.height = `${current.scrollHeight + current.offsetHeight - current.clientHeight}px`
  }, [text])
}

/** Who opens a room at a desk is going to write; on a touch screen the keyboard would cover what they came to read. */
function useFocus(area: Area, room: string): void {
  useLayoutEffect(() => {
    if (isTouch()) return
    // With the next frame: the page is laid out for it, once.
    const before = document.activeElement
    const frame = requestAnimationFrame(() => {
      // A panel that has come with the room has taken it.
      const { activeElement, body } = document
      if (activeElement === before || activeElement === body) area.current?.focus({ preventScroll: true })
    })
    return () => cancelAnimationFrame(frame)
  }, [room])
}
