import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Chat } from '../../index.js'
import { texts } from '../messages/texts.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { problemText } from '../text/problems.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'

/** Followed threads say what is unread in them. */
export function FollowButton({ room, thread }: { room: string; thread: number }) {
  const t = texts.value
  const { chat } = usePresent()
  /** Null: it is not known. */
  const isFollowed = useSignal<boolean | null>(null)
  const isOnline = signalOf(chat.status).value.state === 'online'
  useEffect(() => {
    if (!isOnline) return
    const stop = new AbortController()
    askFollowed(chat, room, thread, stop.signal).then(
      (answer) => {
        isFollowed.value = answer
      },
      // It is asked again with the next connection.
      () => {},
    )
    return () => stop.abort()
  }, [room, thread, isOnline])
  if (isFollowed.value === null) return null
  const toggle = async (): Promise<void> => {
    const before = isFollowed.value
    isFollowed.value = !before
    try {
      await (before ? chat.ask.threads.unfollow({ room, thread }) : chat.ask.threads.follow({ room, thread }))
    } catch (error) {
      isFollowed.value = before
      showToast(problemText(asChatError(error)))
    }
  }
  return (
    <button type="button" class="button small quiet" title={t.followHint} onClick={() => void toggle()}>
      {isFollowed.value ? t.unfollow : t.follow}
    </button>
  )
}

/** Whether it is one of those that the user follows, of however many. */
async function askFollowed(chat: Chat, room: string, thread: number, signal: AbortSignal): Promise<boolean> {
  for (let after = {}; ; ) {
    const page = await chat.ask.threads.followed({ limit: 100, ...after }, { signal })
    if (page.threads.some((one) => one.room === room && one.thread === thread)) return true
    if (!page.more || page.cursor === undefined) return false
    after = { cursor: page.cursor }
  }
}
