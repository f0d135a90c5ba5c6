import type { TargetedEvent } from 'preact'
import { useRef } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { asChatError } from '../ui/use-request.js'
import type { Shown } from './shown.js'
import { useAddress } from './use-address.js'

type MediaEvent = TargetedEvent<HTMLMediaElement>

/** Times within a while that it is loaded anew: it may be broken itself. */
const MOST = 3
/** Ms. */
const WHILE = 30_000

/** Sound or a video: addresses last for some minutes, and people take longer. `renew` rejects with a `ChatError`. */
export function useMedia(shown: Shown) {
  const { chat } = usePresent()
  const address = useAddress(shown)
  const fails = useRef<readonly number[]>([])
  /** If its address is old, or nothing came from there, it goes on from a new one, where it was. */
  const renew = async (media: HTMLMediaElement): Promise<void> => {
    if (shown.bytes) return
    const url = await chat.files.url(shown.attachment)
    if (url === media.src && !media.error) return
    const { currentTime, paused } = media
    media.src = url
    media.currentTime = currentTime
    if (!paused) await media.play()
  }
  const tryToRenew = (media: HTMLMediaElement): void => {
    renew(media).catch((error: unknown) => {
      if (asChatError(error).code === 'not_found') address.failed()
    })
  }
  const onError = ({ currentTarget }: MediaEvent): void => {
    const now = Date.now()
    fails.current = [...fails.current.filter((at) => Math.abs(now - at) < WHILE), now]
    if (fails.current.length <= MOST) tryToRenew(currentTarget)
    else currentTarget.pause()
  }
  const onPlay = ({ currentTarget }: MediaEvent): void => {
    if (currentTarget.error) tryToRenew(currentTarget)
  }
  return { ...address, renew, events: { onError, onPlay } }
}
