import { useEffect, useState } from 'preact/hooks'
import type { RoomInfo } from '../../index.js'
import { usePresent } from '../state/context.js'
import { mutedFor, mutesOf } from './mutes.js'
import { waitOf } from './pace.js'

export interface Wait {
  /** Whole seconds until one may send again; 0: now. */
  readonly seconds: number
  /** A moderator has muted the user: until then (Unix ms), or until that is ended (null). Undefined: nobody has. */
  readonly mutedUntil: number | null | undefined
}

/** How long one has to wait in a room, counted down. */
export function useWait(room: string, info: RoomInfo | null): Wait {
  const { chat, user } = usePresent()
  const [now, setNow] = useState(Date.now)
  const until = mutesOf(chat).value.get(room)
  const muted = mutedFor(chat, room, now)
  const seconds = Math.ceil(waitOf(chat, user, info, Math.max(now, Date.now())) / 1000)
  const isCounting = seconds > 0 || (muted !== null && muted > 0)
  useEffect(() => {
    if (!isCounting) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [isCounting])
  return { seconds, mutedUntil: muted === 0 ? undefined : until }
}
