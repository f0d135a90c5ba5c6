import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'
import type { en } from './en.js'

const count = plurals('ar')

export const ar: CatalogueOf<typeof en> = {
  titles: { command: 'أوامر البوتات', person: 'الأشخاص', emoji: 'الرموز التعبيرية' },
  count: (n) =>
    count(n, {
      zero: 'لا اقتراحات',
      one: 'اقتراح واحد',
      two: 'اقتراحان',
      few: '# اقتراحات',
      many: '# اقتراحًا',
      other: '# اقتراح',
    }),
  everyone: 'كل من في الغرفة',
  notMember: 'ليس في الغرفة',
}
