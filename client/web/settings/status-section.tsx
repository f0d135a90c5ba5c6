import { useState } from 'preact/hooks'
import type { Presence } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { Field } from '../ui/field.js'
import { SelectField } from '../ui/select-field.js'
import { useDraft } from '../ui/use-draft.js'
import { choicesOf } from './choice-setting.js'
import { SaveState } from './save-state.js'
import { Section } from './section.js'
import { settingsTexts } from './texts.js'
import { useSaving } from './use-saving.js'

const MINUTE = 60_000

/** When a status that is set now ends, Unix ms; null: it does not. */
const ENDS = {
  never: () => null,
  half: (now: number) => now + 30 * MINUTE,
  hour: (now: number) => now + 60 * MINUTE,
  hours: (now: number) => now + 240 * MINUTE,
  today: (now: number) => new Date(now).setHours(23, 59, 59, 0),
  week: (now: number) => now + 7 * 1440 * MINUTE,
}

/** What the user says of what they are doing. */
export function StatusSection() {
  const t = settingsTexts.value
  const { user, chat } = usePresent()
  const presence = signalOf(chat.users.presence(user)).value
  return (
    <Section title={t.status}>
      <StatusForm status={presence?.status ?? ''} statusEmoji={presence?.statusEmoji ?? ''} />
      <Away presence={presence} />
    </Section>
  )
}

/** @param status What others see at present */
function StatusForm({ status, statusEmoji }: { status: string; statusEmoji: string }) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [text, setText] = useDraft(status)
  const [emoji, setEmoji] = useDraft(statusEmoji)
  const [end, setEnd] = useState<keyof typeof ENDS>('never')
  const { saving, save } = useSaving()
  const isClear = status === '' && statusEmoji === ''
  const set = (event: Event): void => {
    event.preventDefault()
    const [words, sign] = [text.trim() || null, emoji.trim() || null]
    if (words === null && sign === null) return
    // As it will be: who clears it then clears these, too.
    setText(words ?? '')
    setEmoji(sign ?? '')
    void save(() => chat.users.setPresence({ status: words, statusEmoji: sign, statusUntil: ENDS[end](Date.now()) }))
  }
  return (
    <form class="form" onSubmit={set}>
      <div class="settings-status">
        <Field
          label={t.statusEmoji}
          value={emoji}
          change={setEmoji}
          input={{ maxLength: 16, autocomplete: 'off', spellcheck: false }}
        />
        <Field label={t.statusText} value={text} change={setText} input={{ maxLength: 256, dir: 'auto' }} />
      </div>
      <SelectField label={t.statusUntil} value={end} options={choicesOf(t.statusEnds)} change={setEnd} />
      <div class="settings-buttons">
        <button type="submit" class="button" aria-disabled={text.trim() === '' && emoji.trim() === ''}>
          {t.setStatus}
        </button>
        <button
          type="button"
          class="button"
          aria-disabled={isClear}
          onClick={() => isClear || void save(() => chat.users.setPresence({ status: null }))}
        >
          {t.clearStatus}
        </button>
      </div>
      <SaveState saving={saving} />
    </form>
  )
}

function Away({ presence }: { presence: Presence | null }) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  /** Null: nothing was said in this tab. */
  const [isAway, setAway] = useState<boolean | null>(null)
  const { saving, save } = useSaving()
  const change = async (away: boolean): Promise<void> => {
    setAway(away)
    if (!(await save(() => chat.users.setPresence({ away })))) setAway(isAway)
  }
  return (
    <div class="choices">
      <label>
        <input
          type="checkbox"
          checked={isAway ?? presence?.state === 'away'}
          onChange={({ currentTarget }) => void change(currentTarget.checked)}
        />
        {t.away}
      </label>
      <p class="hint">{t.awayHint}</p>
      <SaveState saving={saving} />
    </div>
  )
}
