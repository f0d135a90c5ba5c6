/** Dialogs that lie over the whole page: nobody sees what is below. */
import { signal } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'

/** How many are open. */
export const modals = signal(0)

/** Opens it over the page, as long as it is shown. The browser keeps the focus in it, and gives the focus back. */
export function useModal(dialog: { readonly current: HTMLDialogElement | null }): void {
  useLayoutEffect(() => {
    const { current } = dialog
    current?.showModal()
    modals.value++
    return () => {
      current?.close()
      modals.value--
    }
  }, [])
}
