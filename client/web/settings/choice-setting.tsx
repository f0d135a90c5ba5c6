import { useState } from 'preact/hooks'
import { SelectField } from '../ui/select-field.js'
import { SaveState } from './save-state.js'
import { useSaving } from './use-saving.js'

interface ChoiceSettingProps<V extends string> {
  readonly label: string
  readonly hint?: string
  readonly value: V
  /** What each of them is called. */
  readonly options: Readonly<Record<V, string>>
  readonly save: (value: V) => Promise<unknown>
}

/** A choice that saves itself; one that could not be saved is taken back. */
export function ChoiceSetting<V extends string>({ value, options, save, ...rest }: ChoiceSettingProps<V>) {
  const [chosen, setChosen] = useState(value)
  const { saving, save: saved } = useSaving()
  const change = async (next: V): Promise<void> => {
    setChosen(next)
    if (!(await saved(() => save(next)))) setChosen(chosen)
  }
  return (
    <div>
      <SelectField {...rest} value={chosen} options={choicesOf(options)} change={(next) => void change(next)} />
      <SaveState saving={saving} />
    </div>
  )
}

/** As a `SelectField` takes them. */
export function choicesOf<V extends string>(options: Readonly<Record<V, string>>): readonly (readonly [V, string])[] {
  return Object.entries(options) as [V, string][]
}
