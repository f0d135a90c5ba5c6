import { useSignal, useSignalEffect } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { followBadge } from '../notifications/badge.js'
import { isMuted } from '../rooms/is-muted.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { isUndecided, notifying } from '../state/notifying.js'
import { badge } from '../state/title.js'
import { lazy } from '../ui/lazy.js'

const Offer = lazy(() => import('../notifications/offer.js'))

/** Notifies if the person wants it. Asks them once they have written something: then they know what for. */
export default function Notifications() {
  const { user, chat } = usePresent()
  const hasWritten = useSignal(false)
  const isOn = notifying.value !== 'off'
  useBadge()
  useEffect(
    () =>
      chat.on('message', ({ from }) => {
        if (from === user) hasWritten.value = true
      }),
    [chat],
  )
  useEffect(() => {
    if (!isOn) return
    const end = new AbortController()
    import('../notifications/notifier.js').then(
      ({ startNotifier }) => startNotifier(user, chat, end.signal),
      () => {},
    )
    return () => end.abort()
  }, [isOn, chat])
  return hasWritten.value && isUndecided.value ? <Offer /> : null
}

/** Muted rooms are not counted. */
function useBadge(): void {
  const { chat } = usePresent()
  useSignalEffect(() => {
    badge.value = signalOf(chat.rooms).value.reduce((sum, { mine, unread }) => sum + (isMuted(mine) ? 0 : unread), 0)
  })
  useEffect(() => {
    const stop = followBadge()
    return () => {
      badge.value = 0
      stop()
    }
  }, [])
}
