import { useEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../text/text.js'
import { announce } from '../ui/announcer.js'
import { Icon } from '../ui/icon.js'
import { Bars } from './bars.js'
import { durationText } from './duration-text.js'
import { type Recorded, Recording } from './recording.js'
import { fileTexts } from './texts.js'

interface RecorderProps {
  readonly done: (recorded: Recorded) => void
  /** Nothing is sent. `why`: for the person; null: they wanted so. */
  readonly leave: (why: string | null) => void
}

/** Records a voice message in place of what is written. */
export default function Recorder({ done, leave }: RecorderProps) {
  const t = fileTexts.value
  const recording = useRecording(leave)
  const group = useFocusOnLast(recording !== null)
  const send = async (): Promise<void> => {
    const recorded = await recording?.stop()
    if (recorded) done(recorded)
    else leave(t.tooShort)
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in line
    <div
      ref={group}
      class="recorder"
      role="group"
      aria-label={t.recording}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        leave(null)
      }}
    >
      <button
        type="button"
        class="button quiet square"
        aria-label={t.cancelRecording}
        title={t.cancelRecording}
        onClick={() => leave(null)}
      >
        <Icon name="close" />
      </button>
      {!recording && <p class="hint">{t.asking}</p>}
      {recording && (
        <>
          <span class="recorder-mark" />
          <time class="recorder-time">{durationText(recording.seconds.value)}</time>
          <Bars levels={recording.levels.value} played={1} />
          <button
            type="button"
            class="button primary square"
            aria-label={t.sendRecording}
            title={t.sendRecording}
            onClick={() => void send()}
          >
            <Icon name="send" mirrored />
          </button>
        </>
      )}
    </div>
  )
}

/** What had the focus is hidden meanwhile: the last button has it, which ends the recording, or the wait for it. */
function useFocusOnLast(isRecording: boolean): { readonly current: HTMLDivElement | null } {
  const group = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const { current } = group
    const { activeElement, body } = document
    if (activeElement !== body && !current?.contains(activeElement)) return
    current?.querySelector<HTMLElement>('button:last-of-type')?.focus()
  }, [isRecording])
  return group
}

/** Null: the person has not let it begin yet. The microphone is closed when this is not shown any more. */
function useRecording(leave: (why: string | null) => void): Recording | null {
  const [recording, setRecording] = useState<Recording | null>(null)
  useEffect(() => {
    let isOver = false
    let begun: Recording | null = null
    Recording.start().then(
      (started) => {
        if (isOver) return started.cancel()
        begun = started
        setRecording(started)
        announce(fileTexts.value.recording)
      },
      ({ name }: DOMException) => {
        if (isOver) return
        const { refused, noMicrophone } = fileTexts.value
        leave(
          name === 'NotAllowedError' ? refused : name === 'NotFoundError' ? noMicrophone : texts.value.problems.other,
        )
      },
    )
    return () => {
      isOver = true
      begun?.cancel()
    }
  }, [])
  return recording
}
