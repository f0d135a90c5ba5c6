import { useEffect, useId, useRef, useState } from 'preact/hooks'

interface SelectFieldProps<V extends string> {
  readonly label: string
  readonly value: V
  /** May say later that it was not changed. */
  readonly change: (value: V) => unknown | Promise<boolean>
  /** What can be chosen, and what it is called. */
  readonly options: readonly (readonly [value: V, text: string])[]
  readonly hint?: string
}

/** One of a few, with its label. */
export function SelectField<V extends string>({ label, value, change, options, hint }: SelectFieldProps<V>) {
  const id = useId()
  /** Shown until it is the value. */
  const [chosen, setChosen] = useState<V | null>(null)
  useEffect(() => setChosen(null), [value])
  /** What is being changed to; null: nothing. */
  const wanted = useRef<V | null>(null)
  /** One change at a time; of what is chosen meanwhile, as the arrow keys do it, the last is the next one. */
  const choose = async (one: V): Promise<void> => {
    setChosen(one)
    const isChanging = wanted.current !== null
    wanted.current = one
    if (isChanging) return
    let isChanged: unknown
    for (let now: V | null = null; now !== wanted.current; ) {
      now = wanted.current
      isChanged = await change(now)
    }
    wanted.current = null
    if (isChanged === false) setChosen(null)
  }
  const shown = chosen ?? value
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={shown}
        onChange={({ currentTarget }) => void choose(currentTarget.value as V)}
        {...(hint ? { 'aria-describedby': `${id}-hint` } : {})}
      >
        {options.map(([one, text]) => (
          <option key={one} value={one} selected={one === shown}>
            {text}
          </option>
        ))}
      </select>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}
