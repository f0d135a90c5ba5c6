import { texts } from '../text/text.js'
import { plainLine } from '../ui/plain.js'
import { FileLine } from './file-line.js'
import { shapeOf } from './shape.js'
import type { Shown } from './shown.js'
import { useMedia } from './use-media.js'

export function Video({ shown }: { shown: Shown }) {
  const { attachment } = shown
  const { url, isGone, events } = useMedia(shown)
  if (isGone) return <FileLine shown={shown} />
  const words = plainLine(attachment.alt ?? attachment.name ?? '', texts.value.attachment)
  return (
    <div class="picture" style={shapeOf(attachment)}>
      {url !== null && <video src={url} controls preload="metadata" playsInline aria-label={words} {...events} />}
    </div>
  )
}
