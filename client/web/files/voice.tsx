import { useRef, useState } from 'preact/hooks'
import { ChatError } from '../../index.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { showToast } from '../ui/toast.js'
import { Bars } from './bars.js'
import { durationText } from './duration-text.js'
import type { Shown } from './shown.js'
import { fileTexts } from './texts.js'
import { useMedia } from './use-media.js'

/** What is heard at present: another one ends it. */
let heard: HTMLAudioElement | null = null

/** A voice message: how loud it is, and how far it was heard. */
export default function Voice({ shown }: { shown: Shown }) {
  const t = fileTexts.value
  const { duration = 0, waveform = [] } = shown.attachment
  const { url, isGone, failed, renew, events } = useMedia(shown)
  const audio = useRef<HTMLAudioElement>(null)
  const [isPlaying, setPlaying] = useState(false)
  const [at, setAt] = useState(0)
  if (isGone) return <p class="hint">{texts.value.files.gone}</p>
  const play = async (media: HTMLAudioElement): Promise<void> => {
    try {
      await renew(media)
      await media.play()
    } catch (error) {
      // Of the browser: it was ended before it began, or `events` go on with it.
      if (!(error instanceof ChatError)) return
      if (error.code === 'not_found') failed()
      else showToast(problemText(error))
    }
  }
  const toggle = (): void => {
    const { current } = audio
    if (!current) return
    if (isPlaying) current.pause()
    else void play(current)
  }
  const seek = (seconds: number): void => {
    setAt(seconds)
    if (audio.current) audio.current.currentTime = seconds
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in line
    <div class="voice" role="group" aria-label={t.voiceMessage}>
      <button
        type="button"
        class="button primary square"
        aria-label={isPlaying ? t.pause : t.play}
        disabled={url === null}
        onClick={toggle}
      >
        <Icon name={isPlaying ? 'pause' : 'play'} />
      </button>
      <span class="voice-track">
        <Bars levels={waveform} played={duration > 0 ? at / duration : 0} />
        <input
          type="range"
          min={0}
          max={duration}
          step={0.1}
          value={at}
          aria-label={t.position}
          aria-valuetext={durationText(at)}
          onInput={({ currentTarget }) => seek(currentTarget.valueAsNumber)}
          onKeyDown={(event) => event.stopPropagation()}
        />
      </span>
      <time class="voice-time">{durationText(isPlaying || at > 0 ? at : duration)}</time>
      <audio
        ref={audio}
        src={url ?? undefined}
        preload="none"
        {...events}
        onPlay={({ currentTarget }) => {
          if (heard !== currentTarget) heard?.pause()
          heard = currentTarget
          setPlaying(true)
        }}
        onPause={() => setPlaying(false)}
        onEnded={() => setAt(0)}
        onTimeUpdate={({ currentTarget }) => setAt(Math.min(duration, currentTarget.currentTime))}
      />
    </div>
  )
}
