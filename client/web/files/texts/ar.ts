import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'
import type { en } from './en.js'

const count = plurals('ar')

export const ar: CatalogueOf<typeof en> = {
  pictureOf: (n, all) => (all > 1 ? `الصورة ${n} من ${all}` : 'صورة'),
  place: (n, all) => `${n} / ${all}`,
  previous: 'الصورة السابقة',
  next: 'الصورة التالية',
  smaller: 'تصغير',
  larger: 'تكبير',

  recording: 'جارٍ التسجيل',
  asking: 'يسأل المتصفح إن كان يجوز له استخدام الميكروفون…',
  cancelRecording: 'عدم إرسال التسجيل',
  sendRecording: 'إرسال التسجيل',
  refused: 'لا يسمح المتصفح لهذه الصفحة باستخدام الميكروفون. يمكنك السماح به بجانب عنوان الصفحة.',
  noMicrophone: 'لا يوجد ميكروفون.',
  tooShort: 'لم يُسجَّل شيء.',
  voiceMessage: 'رسالة صوتية',
  play: 'تشغيل',
  pause: 'إيقاف مؤقت',
  position: 'الموضع',

  chosen: (n) =>
    count(n, {
      zero: 'لا ملفات للإرسال',
      one: 'ملف واحد للإرسال',
      two: 'ملفان للإرسال',
      few: '# ملفات للإرسال',
      many: '# ملفًا للإرسال',
      other: '# ملف للإرسال',
    }),
  remove: (name) => `إزالة ${name}`,
  moveUp: (name) => `نقل ${name} إلى أعلى`,
  alt: 'نص بديل',
  altOf: (name) => `نص بديل: ${name}`,
  altHint: 'ماذا تُظهر الصورة، لمن لا يراها',
  describe: (name) => `وصف ${name}`,
}
