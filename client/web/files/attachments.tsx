import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import type { Outgoing } from '../../index.js'
import { FileLine } from './file-line.js'
import { Pictures } from './pictures.js'
import { kindOf, type Shown, shownOf } from './shown.js'
import { Sound } from './sound.js'
import { UploadProgress } from './upload-progress.js'
import { Video } from './video.js'

interface AttachmentsProps {
  readonly message: FoldedMessage
  /** Absent: it is in the room. */
  readonly outgoing: Outgoing | undefined
}

/** The files of a message. */
export function Attachments({ message, outgoing }: AttachmentsProps) {
  const { attachments = [] } = message
  if (attachments.length === 0) return null
  const shown = shownOf(attachments, outgoing)
  const pictures = shown.filter((one) => kindOf(one) === 'picture')
  return (
    <div class="attachments">
      {pictures.length > 0 && <Pictures pictures={pictures} />}
      {shown.map((one) => (
        <Other key={one.key} shown={one} />
      ))}
      {outgoing && <UploadProgress outgoing={outgoing} />}
    </div>
  )
}

function Other({ shown }: { shown: Shown }) {
  const kind = kindOf(shown)
  if (kind === 'picture') return null
  if (kind === 'video') return <Video shown={shown} />
  return kind === 'audio' ? <Sound shown={shown} /> : <FileLine shown={shown} />
}
