import { useState } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { plainLine } from '../ui/plain.js'
import { Blur } from './blur.js'
import { lightbox } from './lightbox-state.js'
import { shapeOf } from './shape.js'
import { MAX_ALT, type Shown } from './shown.js'
import { useAddress } from './use-address.js'

/** The pictures of a message: one in its own shape, several in a grid. Each opens all of them. */
export function Pictures({ pictures }: { pictures: readonly Shown[] }) {
  const isOne = pictures.length === 1
  const open = (at: number): void => {
    lightbox.value = { pictures, at }
  }
  return (
    <div class={isOne ? 'picture-one' : 'picture-grid'}>
      {pictures.map((one, at) => (
        <Picture key={one.key} shown={one} isOne={isOne} open={() => open(at)} />
      ))}
    </div>
  )
}

interface PictureProps {
  readonly shown: Shown
  readonly isOne: boolean
  readonly open: () => void
}

function Picture({ shown, isOne, open }: PictureProps) {
  const t = texts.value.files
  const { attachment } = shown
  const { url, isGone, failed } = useAddress(shown, { thumbnail: true })
  const [isLoaded, setLoaded] = useState(false)
  const words = plainLine(attachment.alt ?? '', plainLine(attachment.name ?? '', t.picture), MAX_ALT)
  return (
    <button
      type="button"
      class="picture"
      style={isOne ? shapeOf(attachment) : {}}
      aria-label={isGone ? t.gone : t.enlarge(words)}
      disabled={isGone}
      onClick={open}
    >
      {isGone && (
        <span class="picture-gone">
          <Icon name="file" />
          {t.gone}
        </span>
      )}
      {!isGone && !isLoaded && attachment.placeholder !== undefined && <Blur hash={attachment.placeholder} />}
      {!isGone && url !== null && (
        <img
          class={isLoaded ? 'loaded' : ''}
          src={url}
          alt={words}
          onLoad={() => setLoaded(true)}
          onError={failed}
          draggable={false}
        />
      )}
    </button>
  )
}
