import { plurals } from '../../text/plurals.js'
import type { PinTexts } from './en.js'

const count = plurals('ar')

export const ar: PinTexts = {
  pins: 'الرسائل المثبتة',
  pinned: (text) => `رسالة مثبتة: ${text}`,
  all: (n) =>
    count(n, {
      one: 'رسالة مثبتة واحدة',
      two: 'رسالتان مثبتتان',
      few: '# رسائل مثبتة',
      many: '# رسالة مثبتة',
      other: '# رسالة مثبتة',
    }),
  none: 'لا رسائل مثبتة',
  noneHint: 'من يحق له التثبيت يجده في قائمة الرسالة.',
}
