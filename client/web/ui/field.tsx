import type { InputHTMLAttributes } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly change: (value: string) => void
  readonly hint?: string | undefined
  /** What is wrong with it; null: nothing. */
  readonly error?: string | null
  readonly input?: InputHTMLAttributes<HTMLInputElement>
}

/** A line of text with its label, and what there is to say of it. */
export function Field({ label, value, change, hint, error = null, input = {} }: FieldProps) {
  const id = useId()
  const line = useRef<HTMLInputElement>(null)
  // Where it has to be corrected.
  useEffect(() => void (error !== null && line.current?.focus()), [error])
  const said = [hint && `${id}-hint`, error !== null && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        type="text"
        {...input}
        // What is empty is written in the direction of the page.
        dir={value === '' && input.dir === 'auto' ? undefined : input.dir}
        id={id}
        ref={line}
        value={value}
        onInput={({ currentTarget }) => change(currentTarget.value)}
        aria-invalid={error !== null}
        {...(said ? { 'aria-describedby': said } : {})}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== null && (
        <p class="error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  )
}
