/** Pictures that are shown over the page. */
import { signalOfUser } from '../state/of-user.js'
import type { Shown } from './shown.js'

interface Opened {
  readonly pictures: readonly Shown[]
  /** Which of them is shown. */
  readonly at: number
}

export const lightbox = signalOfUser<Opened | null>(null)
