import type { ReadonlySignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Item } from '../../index.js'
import { previewOf } from '../rooms/titles.js'
import { texts } from '../text/text.js'
import { announce } from '../ui/announcer.js'

/** Ms for which messages are gathered, so that many of them are one sentence. */
const GATHER = 1000

/** Says what others write, to those who do not see it, as long as the end of the room is shown. What is loaded from before is not said. */
export function useAnnounced(items: readonly Item[], isAtEnd: ReadonlySignal<boolean>): void {
  const newest = useRef<number | null>(null)
  const gathered = useRef<Extract<Item, { kind: 'message' }>[]>([])
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null)
  useEffect(() => () => clearTimeout(timer.current ?? undefined), [])
  useEffect(() => {
    const seen = newest.current
    newest.current = items.reduce((seq, item) => Math.max(seq, placeOf(item)), seen ?? 0)
    if (seen === null || seen === 0 || !isAtEnd.peek()) return
    for (const item of items)
      if (item.kind === 'message' && !item.own && item.message.seq > seen) gathered.current.push(item)
    if (gathered.current.length === 0 || timer.current !== null) return
    timer.current = setTimeout(() => {
      timer.current = null
      const said = gathered.current.splice(0)
      const [{ message } = { message: null }] = said
      if (message)
        announce(
          said.length === 1 ? texts.value.said(message.from, previewOf(message)) : texts.value.newMessages(said.length),
        )
    }, GATHER)
  }, [items])
}

/** What is on its way may know its number before those below it have come. */
function placeOf(item: Item): number {
  return item.kind === 'gap' || (item.kind === 'message' && item.outgoing) ? 0 : item.message.seq
}
