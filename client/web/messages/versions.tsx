import type { View } from '../room/view.js'
import { usePresent } from '../state/context.js'
import { AnswerView } from '../ui/answer-view.js'
import { Dialog } from '../ui/dialog.js'
import { fullTimeOf } from '../ui/times.js'
import { useRequest } from '../ui/use-request.js'
import { texts } from './texts.js'

interface VersionsProps {
  readonly view: View
  readonly seq: number
  readonly close: () => void
}

/** A message as it was sent, and after each of its edits; the newest comes first. */
export function Versions({ view, seq, close }: VersionsProps) {
  const t = texts.value
  const { chat } = usePresent()
  const item = view.bySeq.value.get(seq)
  // Asked again when there is another one.
  const edits = item?.kind === 'message' ? item.message.edits : 0
  const answer = useRequest(`${view.room.id}/${seq} ${edits}`, (signal) =>
    chat.ask.edits({ room: view.room.id, seq }, { signal }),
  )
  return (
    <Dialog title={t.versions} close={close}>
      <AnswerView answer={answer}>
        {({ versions }) => (
          <ol class="versions">
            {versions.toReversed().map((one) => (
              <li key={one.seq}>
                <p class="hint">
                  {'ts' in one && fullTimeOf(one.ts)}
                  {one.seq === seq && ` · ${t.asSent}`}
                </p>
                <p class="message-text" dir="auto">
                  {'text' in one && one.text}
                </p>
              </li>
            ))}
          </ol>
        )}
      </AnswerView>
    </Dialog>
  )
}
