import type { CatalogueOf } from '../../text/en.js'
import type { en } from './en.js'

export const ar: CatalogueOf<typeof en> = {
  offer: 'هل تريد أن ينبّهك المتصفح إلى الرسائل الجديدة وأنت تنظر إلى شيء آخر؟',
  turnOn: 'تفعيل',
  notNow: 'ليس الآن',
  title: 'إشعارات هذا المتصفح',
  choices: { off: 'لا شيء', sender: 'المرسل فقط', text: 'المرسل والنص' },
  blocked: 'المتصفح يحظر إشعارات هذه الصفحة. يمكنك السماح بها في إعداداته.',
  unavailable: 'لا تتوفر الإشعارات في هذا المتصفح إلا عبر https.',
  whileOpen: 'ما دامت علامة تبويب مفتوحة. وتحدد إعدادات كل غرفة الرسائل التي تُنبَّه إليها.',
  quiet: 'ساعات الهدوء',
  quietFrom: 'بداية الهدوء',
  quietTo: 'نهاية الهدوء',
  newMessage: 'رسالة جديدة',
  inRoom: (sender, room) => `${sender} · ${room}`,
}
