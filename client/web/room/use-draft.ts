import { useEffect } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'

/** What is written in a room, or a thread, and not sent; it is there again when the room is, also after a reload and in another tab. */
export function useDraft(room: string, thread: number | null): readonly [string, (text: string) => void] {
  const { drafts } = usePresent()
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === 'visible') drafts.refresh().catch(() => {})
    }
    document.addEventListener('visibilitychange', look)
    return () => document.removeEventListener('visibilitychange', look)
  }, [drafts])
  const place = thread === null ? {} : { thread }
  return [signalOf(drafts.of(room, place)).value, (text) => drafts.set(room, text, place)]
}
