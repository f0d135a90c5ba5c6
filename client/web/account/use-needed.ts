import { useEffect, useState } from 'preact/hooks'
import { accountTexts } from './texts.js'

type Needed = keyof (typeof accountTexts.value)['missing']

/**
 * What has to be filled in before a form is sent. Its button is not disabled: it says what is missing, at the first field that is empty.
 * @param values By field, in their order in the form
 */
export function useNeeded(values: Partial<Record<Needed, string>>) {
  /** Another one with each try. */
  const [told, setTold] = useState<{ readonly field: Needed } | null>(null)
  // At the second try the field says what it said before, and takes no focus of its own.
  useEffect(() => void (told && document.querySelector<HTMLElement>('.form [aria-invalid=true]')?.focus()), [told])
  const isWhole = (): boolean => {
    const fields = Object.keys(values) as Needed[]
    const first = fields.find((field) => values[field]?.trim() === '')
    setTold(first ? { field: first } : null)
    return !first
  }
  /** What is said at this field; null: nothing. */
  const missing = (field: Needed): string | null =>
    told?.field === field && values[field]?.trim() === '' ? accountTexts.value.missing[field] : null
  return { isWhole, missing }
}
