import { plurals } from '../../text/plurals.js'
import type { RefusalTexts } from './en.js'

const count = plurals('ar')

export const ar: RefusalTexts = {
  links: 'الروابط غير مسموح بها هنا.',
  words: 'في الرسالة كلمات غير مسموح بها هنا.',
  mentions: 'الإشارة إلى الجميع هنا للمشرفين وحدهم.',
  files: 'الملفات غير مسموح بها هنا.',
  fileKind: 'هذا النوع من الملفات غير مسموح به هنا.',
  fileSize: 'أحد الملفات أكبر مما تسمح به هذه الغرفة.',
  filePlace: 'الملفات من ذلك العنوان غير مسموح بها هنا.',
  tooManyFiles: (most) =>
    count(most, {
      one: 'يمكن أن تحمل الرسالة هنا ملفًا واحدًا.',
      two: 'يمكن أن تحمل الرسالة هنا ملفين.',
      few: 'يمكن أن تحمل الرسالة هنا # ملفات.',
      other: 'يمكن أن تحمل الرسالة هنا # ملفًا.',
    }),
  data: 'هذا النوع من البيانات غير مسموح به هنا.',
}
