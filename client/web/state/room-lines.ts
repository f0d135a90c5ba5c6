/** Whether what happens in a room is shown between its messages, as the person chose in this browser. */
import { signal } from '@preact/signals'
import { save, saved } from './saved.js'

export const areLinesShown = signal(saved('lines') !== 'off')

export function chooseLines(areShown: boolean): void {
  save('lines', areShown ? null : 'off')
  areLinesShown.value = areShown
}
