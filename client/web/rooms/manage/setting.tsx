import { useRef, useState } from 'preact/hooks'
import { problemText } from '../../text/problems.js'
import { Field } from '../../ui/field.js'
import { Problem } from '../../ui/problem.js'
import { SelectField } from '../../ui/select-field.js'
import { useDraft } from '../../ui/use-draft.js'
import type { InTurn } from '../../ui/use-turns.js'
import { roomTexts } from './texts.js'
import { type RoomChanges, useSave } from './use-save.js'

/** What to save for a value. */
type Changes<V> = (value: V) => RoomChanges | Promise<RoomChanges>

interface DraftProps {
  readonly room: string
  readonly inTurn?: InTurn
  readonly label: string
  readonly hint?: string
  /** What holds at present, as text. */
  readonly value: string
  readonly isPossible?: (text: string) => boolean
  readonly changes: Changes<string>
  readonly input: Parameters<typeof Field>[0]['input']
}

/** A field with a button that saves it, as soon as there is something to save. */
function DraftSetting({ room, inTurn, label, hint, value, isPossible, changes, input }: DraftProps) {
  const t = roomTexts.value
  const { save, isBusy, error } = useSave(room, inTurn)
  const [text, setText] = useDraft(value)
  const [isImpossible, setImpossible] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    const next = text.trim()
    const isRefused = isPossible?.(next) === false
    setImpossible(isRefused)
    // The button goes with what there was to save, and would take the focus with it.
    if (!isRefused && (await save(() => changes(next))) && isOnButton(form.current))
      form.current?.querySelector('input')?.focus()
  }
  return (
    <form class="setting" ref={form} onSubmit={(event) => void submit(event)} noValidate>
      <Field
        label={label}
        hint={hint}
        value={text}
        change={setText}
        error={isImpossible ? t.noNumber : error && problemText(error)}
        input={input ?? {}}
      />
      {text !== value && (
        <button type="submit" class="button primary small" aria-label={`${t.save}: ${label}`} aria-disabled={isBusy}>
          {t.save}
        </button>
      )}
    </form>
  )
}

function isOnButton(form: HTMLFormElement | null): boolean {
  const { activeElement } = document
  return (
    activeElement === document.body || (activeElement?.tagName === 'BUTTON' && form?.contains(activeElement) === true)
  )
}

interface TextSettingProps {
  readonly room: string
  readonly name: 'name' | 'topic'
  readonly label: string
  readonly value: string | null
  readonly most: number
}

export function TextSetting({ name, value, most, ...rest }: TextSettingProps) {
  return (
    <DraftSetting
      {...rest}
      value={value ?? ''}
      input={{ maxLength: most, dir: 'auto', autocomplete: 'off' }}
      changes={(text) => ({ [name]: text === '' ? null : text })}
    />
  )
}

interface NumberSettingProps {
  readonly room: string
  readonly inTurn?: InTurn
  readonly label: string
  readonly hint: string
  /** Null: there is no limit of the room. */
  readonly value: number | null
  readonly changes: Changes<number | null>
}

export function NumberSetting({ value, changes, ...rest }: NumberSettingProps) {
  return (
    <DraftSetting
      {...rest}
      value={value === null ? '' : String(value)}
      input={{ inputMode: 'numeric', maxLength: 9, autocomplete: 'off', dir: 'ltr' }}
      isPossible={(text) => /^([1-9]\d*)?$/.test(text)}
      changes={(text) => changes(text === '' ? null : Number(text))}
    />
  )
}

interface ChoiceSettingProps<V extends string> {
  readonly room: string
  readonly inTurn?: InTurn
  readonly label: string
  readonly hint?: string
  readonly value: V
  readonly options: readonly (readonly [value: V, text: string])[]
  readonly changes: Changes<V>
}

/** Saved when it is chosen. */
export function ChoiceSetting<V extends string>({ room, inTurn, changes, ...rest }: ChoiceSettingProps<V>) {
  const { save, error } = useSave(room, inTurn)
  return (
    <div class="setting">
      <SelectField {...rest} change={(value) => save(() => changes(value))} />
      <Problem error={error} />
    </div>
  )
}
