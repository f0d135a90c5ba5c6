import { useRef, useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { Field } from '../ui/field.js'
import { Name } from '../ui/name.js'
import { useTurns } from '../ui/use-turns.js'
import { Rows } from './rows.js'
import { SaveState } from './save-state.js'
import { Section } from './section.js'
import { settingsTexts } from './texts.js'
import { useSaving } from './use-saving.js'

/** Words that notify. @param known As the broker has them when it is shown first */
export function Keywords({ known }: { known: readonly string[] }) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [words, setWords] = useState(known)
  const [word, setWord] = useState('')
  const { saving, save } = useSaving()
  const inTurn = useTurns()
  const newest = useRef(known)
  /** The broker takes the whole list: each change is one of what the last one has left. */
  const change = (edit: (now: readonly string[]) => string[]): Promise<boolean> =>
    inTurn(() =>
      save(async () => {
        const { keywords } = await chat.ask.notifications.settings.update({ keywords: edit(newest.current) })
        newest.current = keywords
        setWords(keywords)
      }),
    )
  const add = async (event: Event): Promise<void> => {
    event.preventDefault()
    const added = word.trim()
    if (added === '') return
    const isThere = words.includes(added) || (await change((now) => [...now.filter((one) => one !== added), added]))
    // The next one may be begun by then.
    if (isThere) setWord((now) => (now.trim() === added ? '' : now))
  }
  return (
    <Section title={t.keywords} hint={t.keywordsHint}>
      <form class="settings-add" onSubmit={(event) => void add(event)}>
        <Field
          label={t.keyword}
          value={word}
          change={setWord}
          input={{ maxLength: 64, autocomplete: 'off', dir: 'auto' }}
        />
        <button type="submit" class="button" aria-disabled={word.trim() === ''}>
          {t.add}
        </button>
      </form>
      <SaveState saving={saving} problem={keywordProblem} />
      {words.length === 0 && <p class="hint">{t.noKeywords}</p>}
      <Rows label={t.keywords}>
        {words.map((one) => (
          <li key={one} class="settings-row">
            <Name text={one} isLine />
            <button
              type="button"
              class="button small"
              onClick={() => void change((now) => now.filter((other) => other !== one))}
              aria-label={t.ofUser(t.remove, one)}
            >
              {t.remove}
            </button>
          </li>
        ))}
      </Rows>
    </Section>
  )
}

function keywordProblem(error: ChatError): string {
  return error.code === 'bad_request' ? settingsTexts.value.tooManyKeywords : problemText(error)
}
