import { texts } from '../text/text.js'
import { lazy } from '../ui/lazy.js'
import { plainLine } from '../ui/plain.js'
import { FileLine } from './file-line.js'
import type { Shown } from './shown.js'
import { useMedia } from './use-media.js'

const Voice = lazy(() => import('./voice.js'))

/** Sound in a place that is there before it is loaded. */
export function Sound({ shown }: { shown: Shown }) {
  return shown.attachment.waveform ? (
    <div class="sound">
      <Voice shown={shown} />
    </div>
  ) : (
    <Audio shown={shown} />
  )
}

function Audio({ shown }: { shown: Shown }) {
  const { attachment } = shown
  const { url, isGone, events } = useMedia(shown)
  if (isGone) return <FileLine shown={shown} />
  const words = plainLine(attachment.name ?? '', texts.value.attachment)
  return (
    <div class="sound">
      {url !== null && <audio src={url} controls preload="metadata" aria-label={words} {...events} />}
    </div>
  )
}
