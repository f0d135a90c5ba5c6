import { chooseNotifying } from '../state/notifying.js'
import { Notice } from '../ui/notice.js'
import { notificationTexts } from './texts.js'

/** Whether to be notified: the browser asks only who has said so here. */
export default function Offer() {
  const t = notificationTexts.value
  return (
    <Notice text={t.offer}>
      <button type="button" class="button small primary" onClick={() => void chooseNotifying('text')}>
        {t.turnOn}
      </button>
      <button type="button" class="button small quiet" onClick={() => void chooseNotifying('off')}>
        {t.notNow}
      </button>
    </Notice>
  )
}
