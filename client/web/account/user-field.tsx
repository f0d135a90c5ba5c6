import { Field } from '../ui/field.js'
import { accountTexts } from './texts.js'

interface UserFieldProps {
  readonly value: string
  readonly change: (value: string) => void
  readonly hint?: string
  readonly error?: string | null
}

/** The name of an account, as browsers and password managers know it. */
export function UserField(props: UserFieldProps) {
  return (
    <Field
      {...props}
      label={accountTexts.value.user}
      input={{ name: 'username', autocomplete: 'username', autocapitalize: 'none', spellcheck: false, required: true }}
    />
  )
}
