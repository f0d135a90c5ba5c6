import { useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { openPanel } from '../state/panel.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'
import type { View } from './view.js'

/** A message that was asked for and is not shown: a reply is in its thread, which is opened; of what is gone it is said that it is. */
export function useMissed(view: View): void {
  const { chat } = usePresent()
  const { room, missed } = view
  /** It is in the room: without a connection the timeline could not go there. */
  const shownAgain = useRef<number | null>(null)
  const find = async (seq: number, signal: AbortSignal): Promise<void> => {
    const { messages } = await chat.ask.history({ room: room.id, view: 'folded', seqs: [seq] }, { signal })
    const [message] = messages
    if (message?.thread) {
      openPanel({ kind: 'thread', room: room.id, seq: message.thread, at: seq }, { replace: true })
    } else if (message && shownAgain.current !== seq) {
      shownAgain.current = seq
      view.show(seq)
    } else showToast(texts.value.notHere)
  }
  useSignalEffect(() => {
    const seq = missed.value
    if (seq === null) return
    const stop = new AbortController()
    find(seq, stop.signal)
      .catch((error: unknown) => !stop.signal.aborted && showToast(problemText(asChatError(error))))
      .finally(() => {
        if (!stop.signal.aborted) missed.value = null
      })
    return () => stop.abort()
  })
}
