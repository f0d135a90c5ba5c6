import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { useKeptFocus } from '../ui/kept-focus.js'
import { plainLine } from '../ui/plain.js'
import { bytesText } from './bytes-text.js'
import { MAX_ALT } from './shown.js'
import { fileTexts } from './texts.js'
import { advance, describe, type Picked, type Tray, unpick } from './tray.js'

/** The files that go with what is being written. */
export default function TrayView({ tray }: { tray: Tray }) {
  const t = fileTexts.value
  const files = tray.value
  const list = useRef<HTMLUListElement>(null)
  useKeptFocus(list)
  // The last file goes with the list.
  useLayoutEffect(
    () => () => {
      const { current } = list
      if (current?.contains(document.activeElement)) current.closest('form')?.querySelector('textarea')?.focus()
    },
    [],
  )
  return (
    <ul class="tray" ref={list} tabIndex={-1} aria-label={t.chosen(files.length)}>
      {files.map((one, at) => (
        <TrayFile key={one.id} picked={one} tray={tray} isFirst={at === 0} />
      ))}
    </ul>
  )
}

function TrayFile({ picked, tray, isFirst }: { picked: Picked; tray: Tray; isFirst: boolean }) {
  const t = fileTexts.value
  const { id, file, preview, about } = picked
  const name = plainLine(file.name, texts.value.attachment)
  const [isDescribing, setDescribing] = useState(false)
  return (
    <li class="tray-file">
      <span class="tray-picture">{preview ? <img src={preview} alt="" /> : <Icon name="file" />}</span>
      <span class="tray-texts">
        <bdi class="line">{name}</bdi>
        <span class="hint">{bytesText(file.size)}</span>
      </span>
      {preview && (
        <button
          type="button"
          class="button quiet small"
          aria-expanded={isDescribing}
          aria-label={t.altOf(name)}
          onClick={() => setDescribing(!isDescribing)}
        >
          {t.alt}
        </button>
      )}
      {!isFirst && (
        <button
          type="button"
          class="button quiet square"
          aria-label={t.moveUp(name)}
          title={t.moveUp(name)}
          onClick={() => advance(tray, id)}
        >
          <Icon name="up" />
        </button>
      )}
      <button
        type="button"
        class="button quiet square"
        aria-label={t.remove(name)}
        title={t.remove(name)}
        onClick={() => unpick(tray, id)}
      >
        <Icon name="close" />
      </button>
      {isDescribing && (
        <input
          class="tray-alt"
          dir="auto"
          maxLength={MAX_ALT}
          value={about.alt ?? ''}
          placeholder={t.altHint}
          aria-label={t.describe(name)}
          onInput={({ currentTarget: { value } }) => describe(tray, id, { alt: value })}
        />
      )}
    </li>
  )
}
