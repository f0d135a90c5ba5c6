import type { ComponentChildren, RefObject, VNode } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Failed } from './failed.js'
import { focusRow, useKeptFocus } from './kept-focus.js'
import { rove } from './roving.js'
import type { PageList as Shown } from './use-pages.js'

interface PageListProps<T> {
  readonly list: Pick<Shown<T>, 'items' | 'hasMore' | 'isLoading' | 'error' | 'next'>
  /** In place of a list with nothing in it. */
  readonly empty: ComponentChildren
  readonly label?: string
  /** Each with a key. Where rows are moved in with the arrow keys, that which `isEntry` is the stop of the Tab key. */
  readonly row: (item: T, isEntry: boolean) => VNode
}

/** The rows by now, and a way to more of them: loading, empty, cut, or not there. */
export function PageList<T>({ list, empty, label, row }: PageListProps<T>) {
  const t = texts.value
  const { items, hasMore, isLoading, error, next } = list
  const frame = useRef<HTMLDivElement>(null)
  const end = useRef<HTMLDivElement>(null)
  useKeptFocus(frame)
  useFocusOfEnd(frame, end, items.length)
  return (
    <div class="page-list" aria-busy={isLoading} ref={frame} tabIndex={-1}>
      {items.length > 0 && (
        <ul {...(label !== undefined && { 'aria-label': label })} onKeyDown={rove}>
          {items.map((item, at) => row(item, at === 0))}
        </ul>
      )}
      {isLoading && <p class="loading late">{t.loading}</p>}
      {!isLoading && !error && items.length === 0 && empty}
      <div class="page-end" ref={end} tabIndex={-1}>
        {error && <Failed error={error} again={next} />}
        {!error && hasMore && items.length > 0 && (
          <button type="button" class="button" aria-disabled={isLoading} onClick={() => isLoading || next()}>
            {t.more}
          </button>
        )}
      </div>
    </div>
  )
}

type Frame = RefObject<HTMLElement | null>

/** Who asks for more, or again, at the end of a list goes on at the first row that comes, and stays at the end until then, whatever is there. */
function useFocusOfEnd(frame: Frame, end: Frame, count: number): void {
  // Read before this rendering takes the button away.
  const wasHere = end.current?.contains(document.activeElement)
  const before = useRef(count)
  useLayoutEffect(() => {
    if (wasHere && count > before.current) focusRow(frame.current!, before.current)
    else if (wasHere && document.activeElement === document.body) {
      const stop = end.current!.querySelector('button') ?? end.current!
      stop.focus()
    }
    before.current = count
  })
}
