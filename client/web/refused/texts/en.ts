import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  links: 'Links are not allowed here.',
  words: 'Words of this message are not allowed here.',
  mentions: 'Only moderators may mention everyone here.',
  files: 'Files are not allowed here.',
  fileKind: 'Files of this kind are not allowed here.',
  fileSize: 'A file is too large for this room.',
  filePlace: 'Files from that address are not allowed here.',
  tooManyFiles: (most: number) =>
    count(most, { one: 'A message may have # file here.', other: 'A message may have # files here.' }),
  data: 'Data of this kind is not allowed here.',
}

export type RefusalTexts = CatalogueOf<typeof en>
