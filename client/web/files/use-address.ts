import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { asChatError } from '../ui/use-request.js'
import type { Shown } from './shown.js'

export interface Address {
  /** Null: it is not known yet, or cannot be. */
  readonly url: string | null
  /** The file is not there any more, or not for this user. */
  readonly isGone: boolean
  /** It could not be loaded from there: addresses last for some minutes. */
  readonly failed: () => void
}

/** Times that an address is asked for anew. */
const MOST = 3

/** Where a file of a message is, for `src`: in memory as long as it is on its way, which is shown until the other one is there. */
export function useAddress({ attachment, bytes }: Omit<Shown, 'key'>, { thumbnail = false } = {}): Address {
  const { chat } = usePresent()
  const [url, setUrl] = useState<string | null>(null)
  const [isGone, setGone] = useState(false)
  const [attempt, setAttempt] = useState(0)
  const isOnline = signalOf(chat.status).value.state === 'online'
  const isSmall = thumbnail && attachment.thumbnail !== undefined
  useLayoutEffect(() => {
    if (bytes === null) return
    const local = URL.createObjectURL(bytes)
    setUrl(local)
    return () => URL.revokeObjectURL(local)
  }, [bytes])
  useEffect(() => {
    if (bytes !== null || attachment.file === undefined) return
    let isOver = false
    const tell = (found: string | null, gone: boolean): void => {
      if (isOver) return
      if (found !== null) setUrl(found)
      setGone(gone)
    }
    chat.files.url(attachment, { thumbnail: isSmall }).then(
      (found) => tell(found, false),
      (error: unknown) => tell(null, asChatError(error).code === 'not_found'),
    )
    return () => {
      isOver = true
    }
  }, [bytes, attachment.file, isSmall, attempt, isOnline || url !== null])
  return { url, isGone, failed: () => setAttempt((before) => Math.min(before + 1, MOST)) }
}
