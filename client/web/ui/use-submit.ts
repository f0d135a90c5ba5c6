import { useAct } from './use-act.js'

/**
 * A form: `submit` for its `onSubmit`, whether it is under way, and what was wrong with it. Its button has `aria-disabled`, not `disabled`, while
 * it can do nothing: a button that is disabled loses the focus, and with it the keys of the panel or dialog it is in.
 * @param isWhole Asked before: whether nothing is missing; it says what is
 */
export function useSubmit(act: () => Promise<void>, isWhole = () => true) {
  const { run, isBusy, error } = useAct()
  const submit = (event: Event): void => {
    event.preventDefault()
    if (maySubmit(event) && isWhole()) void run(act)
  }
  return { submit, isBusy, error }
}

/** Whether the button that submits the form can do something; so it is, too, where a key submits it. */
export function maySubmit(event: Event): boolean {
  return (event as SubmitEvent).submitter?.getAttribute('aria-disabled') !== 'true'
}
