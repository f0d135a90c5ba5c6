import { useId, useRef, useState } from 'preact/hooks'
import { useTurns } from '../ui/use-turns.js'
import { SaveState } from './save-state.js'
import { settingsTexts } from './texts.js'
import { useSaving } from './use-saving.js'

interface TextSettingProps {
  readonly label: string
  readonly hint: string
  readonly value: string
  /** Characters. */
  readonly most: number
  readonly save: (value: string) => Promise<unknown>
}

/** A text that is saved when one leaves it, or with its button. */
export function TextSetting({ label, hint, value, most, save }: TextSettingProps) {
  const t = settingsTexts.value
  const id = useId()
  const [text, setText] = useState(value)
  const [known, setKnown] = useState(value)
  const { saving, save: saved } = useSaving()
  const inTurn = useTurns()
  /** What is saved, or will be; null: that failed. */
  const asked = useRef<string | null>(value)
  const submit = async (event?: Event): Promise<void> => {
    event?.preventDefault()
    const next = text.trim()
    if (next === asked.current) return
    asked.current = next
    if (await inTurn(() => saved(() => save(next)))) setKnown(next)
    else if (asked.current === next) asked.current = null
  }
  return (
    <form class="field" onSubmit={(event) => void submit(event)}>
      <label for={id}>{label}</label>
      <div class="settings-add">
        <input
          id={id}
          type="text"
          value={text}
          maxLength={most}
          dir="auto"
          aria-describedby={`${id}-hint`}
          aria-invalid={saving.error !== null}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onBlur={() => void submit()}
        />
        <button type="submit" class="button" aria-disabled={text.trim() === known} aria-label={t.ofUser(t.save, label)}>
          {t.save}
        </button>
      </div>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <SaveState saving={saving} />
    </form>
  )
}
