import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { followVersion, isOutdated } from '../state/version.js'
import { texts } from '../text/text.js'
import { Notice } from '../ui/notice.js'

/** Says that there is a new version. What is written, and what waits, is there again after the reload. */
export function NewVersion() {
  const { chat } = usePresent()
  const isLater = useSignal(false)
  useEffect(() => followVersion(chat), [chat])
  if (!isOutdated.value || isLater.value) return null
  const t = texts.value
  return (
    <Notice text={t.newVersion}>
      <button type="button" class="button small primary" onClick={() => location.reload()}>
        {t.reload}
      </button>
      <button type="button" class="button small quiet" onClick={() => (isLater.value = true)}>
        {t.later}
      </button>
    </Notice>
  )
}
