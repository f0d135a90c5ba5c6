import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { RoomInfo } from '../../index.js'
import { CompletionPlace } from '../complete/completion-place.js'
import { useCompletion } from '../complete/use-completion.js'
import { AttachButton } from '../files/attach-button.js'
import { DropZone } from '../files/drop-zone.js'
import { canRecord, RecordButton, Recorder } from '../files/record-button.js'
import type { About } from '../state/about.js'
import { texts } from '../text/text.js'
import type { Area } from '../ui/area.js'
import { Icon } from '../ui/icon.js'
import { lazy } from '../ui/lazy.js'
import { AboutLine } from './about-line.js'
import { EmojiButton } from './emoji-button.js'
import { edit, lastOwn } from './message-actions.js'
import { useSending } from './use-sending.js'
import type { View } from './view.js'
import { useArea, WriteArea } from './write-area.js'

const TrayView = lazy(() => import('../files/tray-view.js'))

export interface WriteFormProps {
  readonly view: View
  /** Null: a conversation that has not begun, or a room that is not known yet. */
  readonly info: RoomInfo | null
  readonly title: string
  /** Called when something was sent. */
  readonly sent: () => void
}

export function WriteForm({ view, info, title, sent }: WriteFormProps) {
  const t = texts.value
  const area = useArea()
  const sending = useSending(view, info, area, sent)
  const [isRecording, setRecording] = useState(false)
  const { writing, files, isEmpty, wait, excess, send, tell } = sending
  const completion = useCompletion(writing.text)
  const { tray, mayAttach, take } = files
  useFocusOn(area, view.about.value)
  const write = (text: string): void => {
    writing.write(text)
    view.room.setTyping(text.trim() !== '')
  }
  /** Up in an empty composer changes the last own message; Escape gives up what it is about. */
  const keyed = (event: KeyboardEvent): boolean => {
    const { key } = event
    if (completion.keyed(event)) return true
    if (key === 'Escape' && view.about.value) writing.cancel()
    else if (key === 'ArrowUp' && isEmpty) return editLast(view)
    else return false
    return true
  }
  const record = (): void => {
    tell([])
    // A recorder that could not be loaded is given up.
    setRecording((before) => !before)
  }
  const leaveRecording = (why: string | null): void => {
    setRecording(false)
    tell(why === null ? [] : [why])
    area.current?.focus()
  }
  return (
    <>
      <form
        class={isRecording ? 'composer recording' : 'composer'}
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
      >
        <Problems problems={sending.problems} />
        {sending.notice !== null && (
          <p class="hint" role="status">
            {sending.notice}
          </p>
        )}
        {excess > 0 && <p class="error">{t.tooLongBy(excess)}</p>}
        {wait.seconds > 0 && <p class="hint">{t.slowMode(info?.slowMode ?? 0)}</p>}
        <AboutLine cancel={writing.cancel} />
        {!writing.isEdit && tray.value.length > 0 && <TrayView tray={tray} />}
        {mayAttach && <AttachButton take={take} />}
        <div class="write-place">
          <WriteArea
            area={area}
            place={view.place}
            title={title}
            text={writing.text}
            write={write}
            send={send}
            take={mayAttach ? take : null}
            look={completion.look}
            keyed={keyed}
          />
          <EmojiButton area={area} write={write} />
        </div>
        <CompletionPlace completion={completion} room={view.room} area={area} write={write} />
        {isEmpty && mayAttach && canRecord && wait.seconds === 0 ? (
          <RecordButton start={record} />
        ) : (
          <SendButton isEmpty={isEmpty || excess > 0} wait={writing.isEdit ? 0 : wait.seconds} />
        )}
        {isRecording && (
          <Recorder
            done={(recorded) => {
              setRecording(false)
              sending.sendRecorded(recorded)
            }}
            leave={leaveRecording}
          />
        )}
      </form>
      {mayAttach && <DropZone area={area} take={take} />}
    </>
  )
}

/** @param wait Seconds until one may send again */
function SendButton({ isEmpty, wait }: { isEmpty: boolean; wait: number }) {
  const t = texts.value
  if (wait > 0)
    return (
      <button type="button" class="button square" disabled aria-label={t.slowWait(wait)} title={t.slowWait(wait)}>
        {wait}
      </button>
    )
  return (
    <button type="submit" class="button primary square" aria-label={t.send} title={t.send} disabled={isEmpty}>
      <Icon name="send" mirrored />
    </button>
  )
}

function Problems({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null
  return (
    <div class="error" role="alert">
      {problems.map((one) => (
        <p key={one}>{one}</p>
      ))}
    </div>
  )
}

function editLast(view: View): boolean {
  const item = view.about.value ? null : lastOwn(view)
  if (item) edit(item, view)
  return item !== null
}

/** Who has chosen to answer or to edit goes on by writing. */
function useFocusOn(area: Area, about: About | null): void {
  const isAbout = about && (about.kind === 'edit' ? about.target : about.seq)
  const before = useRef(isAbout)
  useLayoutEffect(() => {
    if (isAbout !== null && isAbout !== before.current) area.current?.focus()
    before.current = isAbout
  }, [isAbout])
}
