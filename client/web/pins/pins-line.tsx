import { useState } from 'preact/hooks'
import { previewOf } from '../rooms/titles.js'
import { openPanel } from '../state/panel.js'
import { navigate, pathTo } from '../state/router.js'
import { Icon } from '../ui/icon.js'
import { Name } from '../ui/name.js'
import { pinTexts } from './texts.js'
import { usePins } from './use-pins.js'

interface PinsLineProps {
  readonly room: string
  /** Another one when a message that is shown was pinned, or is not any more. */
  readonly changes: string
}

/** The newest pinned message; each click leads to one, and then to the next older one. */
export default function PinsLine({ room, changes }: PinsLineProps) {
  const t = pinTexts.value
  const { all } = usePins(room, changes)
  const [at, setAt] = useState(0)
  if (!all || all.length === 0) return null
  const pin = all[at % all.length]!
  const show = (): void => {
    navigate(pathTo('message', { room, seq: pin.seq }))
    setAt(at + 1)
  }
  return (
    <div class="pins-line">
      <button type="button" class="pin" onClick={show} aria-label={t.pinned(previewOf(pin))}>
        <Icon name="pin" />
        <Name text={previewOf(pin)} isLine />
      </button>
      <button type="button" class="button quiet small" onClick={() => openPanel({ kind: 'pins', room })}>
        {t.all(all.length)}
      </button>
    </div>
  )
}
