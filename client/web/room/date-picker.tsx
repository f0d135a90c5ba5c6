import { useLayoutEffect, useRef } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { navigate, pathTo } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { isoDateOf } from '../ui/times.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'

/** A day whose line was pressed. */
export interface AskedDay {
  /** As a field for dates has it. */
  readonly date: string
}

/** The calendar of the browser, by which one gets to the messages of a day. @param day Where it begins; another one each time that it is asked for */
export default function DatePicker({ room, day }: { room: string; day: AskedDay }) {
  const t = texts.value
  const { chat } = usePresent()
  const input = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => {
    input.current!.value = day.date
    input.current!.showPicker()
  }, [day])
  const go = async (date: string): Promise<void> => {
    // Without a time of day it would be that of another time zone.
    const aroundTs = new Date(`${date}T00:00`).getTime()
    if (Number.isNaN(aroundTs)) return
    try {
      const { anchor } = await chat.ask.history({ room, aroundTs, limit: 1, roots: true })
      if (anchor === undefined) showToast(t.nothingSince)
      else navigate(pathTo('message', { room, seq: anchor }))
    } catch (error) {
      showToast(problemText(asChatError(error)))
    }
  }
  return (
    <input
      ref={input}
      type="date"
      class="date-picker"
      tabIndex={-1}
      aria-label={t.toDate}
      max={isoDateOf(Date.now())}
      onChange={({ currentTarget }) => void go(currentTarget.value)}
    />
  )
}
