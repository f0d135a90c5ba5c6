import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Icon, type IconName } from '../ui/icon.js'
import { useModal } from '../ui/modal.js'
import { plainLine } from '../ui/plain.js'
import { SaveButton } from './file-line.js'
import { lightbox } from './lightbox-state.js'
import { MAX_ALT, type Shown } from './shown.js'
import { fileTexts } from './texts.js'
import { useAddress } from './use-address.js'
import { useEnlarged } from './use-enlarged.js'
import { useSwipe } from './use-swipe.js'

const LARGEST = 8

const close = (): void => {
  lightbox.value = null
}

/** Pictures, one at a time, as large as the page. */
export default function Lightbox({ opened: { pictures, at } }: { opened: { pictures: readonly Shown[]; at: number } }) {
  const t = fileTexts.value
  const dialog = useRef<HTMLDialogElement>(null)
  const [zoom, setZoom] = useState(1)
  const shown = pictures[at]!
  const words = plainLine(shown.attachment.alt ?? '', '', MAX_ALT)
  const name = plainLine(shown.attachment.name ?? '', texts.value.files.picture)
  useModal(dialog)
  // Who logs in next sees nothing of it.
  useLayoutEffect(() => close, [])
  const go = (step: number): void => {
    if (!pictures[at + step]) return
    setZoom(1)
    lightbox.value = { pictures, at: at + step }
  }
  /** What comes from the right is the next one, where one reads from the left. */
  const stepOf = (side: -1 | 1): number => (isRtl() ? side : -side)
  const isEnlarged = useEnlarged()
  const swipe = useSwipe({
    isOn: zoom === 1 && !isEnlarged,
    may: (side) => pictures[at + stepOf(side)] !== undefined,
    swiped: (to) => (to === 'down' ? close() : go(stepOf(to === 'left' ? -1 : 1))),
  })
  const resize = (factor: number): void => setZoom((before) => Math.min(LARGEST, Math.max(1, before * factor)))
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => go(isRtl() ? 1 : -1),
    ArrowRight: () => go(isRtl() ? -1 : 1),
    '+': () => resize(2),
    '-': () => resize(0.5),
    '0': () => setZoom(1),
  }
  return (
    <dialog
      ref={dialog}
      class="lightbox"
      aria-label={t.pictureOf(at + 1, pictures.length)}
      onClose={close}
      onKeyDown={({ key, ctrlKey, metaKey }) => void (ctrlKey || metaKey || keys[key]?.())}
      onClick={({ target }) => {
        const isBeside = (target as Element).classList.contains('lightbox-stage')
        if (isBeside && zoom === 1 && swipe.isClick()) close()
      }}
    >
      <Picture
        key={at}
        shown={shown}
        words={words || name}
        zoom={zoom}
        isEnlarged={isEnlarged}
        toggle={() => setZoom(zoom > 1 ? 1 : 2)}
        swipe={swipe}
      />
      <footer class="lightbox-bar">
        <p class="lightbox-words" dir="auto">
          {words || name}
        </p>
        {pictures.length > 1 && (
          <>
            <Tool icon="back" text={t.previous} act={() => go(-1)} isOff={at === 0} isMirrored />
            <span class="hint">{t.place(at + 1, pictures.length)}</span>
            <Tool icon="forward" text={t.next} act={() => go(1)} isOff={at === pictures.length - 1} isMirrored />
          </>
        )}
        <Tool icon="minus" text={t.smaller} act={() => resize(0.5)} isOff={zoom <= 1} />
        <Tool icon="plus" text={t.larger} act={() => resize(2)} isOff={zoom >= LARGEST} />
        {shown.bytes === null && <SaveButton shown={shown} name={name} />}
        <Tool icon="close" text={texts.value.close} act={close} />
      </footer>
    </dialog>
  )
}

interface PictureProps {
  readonly shown: Shown
  readonly words: string
  /** 1: all of it is seen. */
  readonly zoom: number
  /** With all of the page, by the browser. */
  readonly isEnlarged: boolean
  readonly toggle: () => void
  readonly swipe: Pick<ReturnType<typeof useSwipe>, 'moved' | 'handlers'>
}

/** The small image until the large one is there. */
function Picture({ shown, words, zoom, isEnlarged, toggle, swipe: { moved, handlers } }: PictureProps) {
  const { url, isGone, failed } = useAddress(shown)
  const { url: small } = useAddress(shown, { thumbnail: true })
  const { width = 4, height = 3 } = shown.attachment
  const size = `${zoom * 100}%`
  const isHeld = moved.x !== 0 || moved.y !== 0
  const states = [zoom > 1 && 'zoomed', isEnlarged && 'enlarged', isHeld && 'held']
  const classes = ['lightbox-stage', ...states].filter(Boolean).join(' ')
  return (
    <div class={classes} {...handlers}>
      {isGone && <p>{texts.value.files.gone}</p>}
      {!isGone && (
        <img
          src={url ?? small ?? undefined}
          alt={words}
          width={width}
          height={height}
          draggable={false}
          style={{
            maxWidth: size,
            maxHeight: zoom > 1 ? 'none' : '100%',
            width: zoom > 1 ? size : undefined,
            transform: isHeld ? `translate(${moved.x}px, ${moved.y}px)` : undefined,
          }}
          onDblClick={toggle}
          onError={failed}
        />
      )}
    </div>
  )
}

interface ToolProps {
  readonly icon: IconName
  readonly text: string
  readonly act: () => void
  readonly isOff?: boolean
  readonly isMirrored?: boolean
}

/** What cannot be done now keeps the focus: keys go on working. */
function Tool({ icon, text, act, isOff = false, isMirrored = false }: ToolProps) {
  return (
    <button
      type="button"
      class="button quiet square"
      aria-label={text}
      title={text}
      aria-disabled={isOff}
      onClick={() => void (isOff || act())}
    >
      <Icon name={icon} mirrored={isMirrored} />
    </button>
  )
}

function isRtl(): boolean {
  return document.documentElement.dir === 'rtl'
}
