import { Field } from '../ui/field.js'

interface PasswordFieldProps {
  readonly label: string
  readonly hint?: string
  readonly isNew?: boolean
  readonly value: string
  readonly change: (value: string) => void
}

export function PasswordField({ isNew = false, ...rest }: PasswordFieldProps) {
  return <Field {...rest} input={{ type: 'password', autocomplete: isNew ? 'new-password' : 'current-password' }} />
}

/** Of an authenticator app, or a recovery code. */
export function CodeField(props: Omit<PasswordFieldProps, 'isNew'>) {
  return <Field {...props} input={{ autocomplete: 'one-time-code', spellcheck: false, autocapitalize: 'none' }} />
}
