import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  pins: 'Pinned messages',
  pinned: (text: string) => `Pinned message: ${text}`,
  all: (n: number) => count(n, { one: '# pinned message', other: 'All # pinned messages' }),
  none: 'Nothing is pinned',
  noneHint: 'Who may pin finds it in the menu of a message.',
}

export type PinTexts = CatalogueOf<typeof en>
