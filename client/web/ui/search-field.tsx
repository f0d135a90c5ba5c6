import { Field } from './field.js'

interface SearchFieldProps {
  readonly label: string
  readonly hint?: string
  readonly value: string
  readonly change: (value: string) => void
}

/** What is looked for among people or rooms: names are left as they are typed. */
export function SearchField(props: SearchFieldProps) {
  return (
    <Field
      {...props}
      input={{
        type: 'search',
        maxLength: 128,
        autocapitalize: 'none',
        spellcheck: false,
        autocomplete: 'off',
        dir: 'auto',
      }}
    />
  )
}
