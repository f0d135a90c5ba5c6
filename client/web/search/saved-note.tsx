import { useEffect, useRef, useState } from 'preact/hooks'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Field } from '../ui/field.js'
import { Icon } from '../ui/icon.js'
import { Name } from '../ui/name.js'
import { useAct } from '../ui/use-act.js'
import { searchTexts } from './texts.js'

/** Characters that the broker takes. */
const MOST = 500

interface SavedNoteProps {
  readonly note: string | null
  /** Null: it cannot be changed, as while the message is not shown. Rejects with a `ChatError`. */
  readonly save: ((note: string | null) => Promise<void>) | null
}

/** What was noted of a saved message, and where that is changed. */
export function SavedNote({ note, save }: SavedNoteProps) {
  const t = searchTexts.value
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const wasOpen = useRef(false)
  // Where the focus was before, if nothing else has taken it.
  useEffect(() => {
    if (wasOpen.current && !isOpen && document.activeElement === document.body) button.current?.focus()
    wasOpen.current = isOpen
  }, [isOpen])
  if (isOpen && save) return <NoteForm note={note ?? ''} save={save} close={() => setOpen(false)} />
  const label = note === null ? t.addNote : t.changeNote
  return (
    <>
      {note !== null && (
        <p class="found-note">
          <Name text={note} />
        </p>
      )}
      {save && (
        <button
          type="button"
          ref={button}
          class="button quiet small square found-act second"
          onClick={() => setOpen(true)}
          aria-label={label}
          title={label}
        >
          <Icon name="edit" />
        </button>
      )}
    </>
  )
}

interface NoteFormProps {
  readonly note: string
  readonly save: (note: string | null) => Promise<void>
  readonly close: () => void
}

function NoteForm({ note, save, close }: NoteFormProps) {
  const t = searchTexts.value
  const [text, setText] = useState(note)
  const { run, isBusy, error } = useAct()
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => form.current!.querySelector('input')!.focus(), [])
  const submit = async (): Promise<void> => {
    const next = text.trim()
    if (next === note || (await run(() => save(next === '' ? null : next)))) close()
  }
  return (
    <form
      ref={form}
      class="found-note form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
      // The keys of the list, and of the panel, are those of the text here.
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Escape' && !event.isComposing) close()
      }}
    >
      <Field
        label={t.note}
        hint={t.noteHint}
        error={error && problemText(error)}
        value={text}
        change={setText}
        input={{ maxLength: MOST, dir: 'auto' }}
      />
      <div class="actions">
        <button type="button" class="button small" onClick={close}>
          {texts.value.cancel}
        </button>
        <button type="submit" class="button primary small" aria-disabled={isBusy}>
          {t.saveNote}
        </button>
      </div>
    </form>
  )
}
