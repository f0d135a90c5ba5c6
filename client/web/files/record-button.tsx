import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { lazy } from '../ui/lazy.js'

/** Over http from another machine there is no microphone. */
export const canRecord = typeof MediaRecorder !== 'undefined' && navigator.mediaDevices !== undefined

/** In the place of the text, loaded with the first recording. */
export const Recorder = lazy(() => import('./recorder.js'))

export function RecordButton({ start }: { start: () => void }) {
  const t = texts.value.files
  return (
    <button type="button" class="button quiet square" aria-label={t.record} title={t.record} onClick={start}>
      <Icon name="microphone" />
    </button>
  )
}
