import { plurals } from '../../text/plurals.js'
import type { Messages } from './en.js'

const count = plurals('ar')

export const ar: Messages = {
  forward: 'تحويل',
  forwardTo: 'تحويل إلى',
  forwardNow: (n) =>
    count(n, {
      one: 'تحويل إلى محادثة واحدة',
      two: 'تحويل إلى محادثتين',
      few: 'تحويل إلى # محادثات',
      many: 'تحويل إلى # محادثة',
      other: 'تحويل إلى # محادثة',
    }),
  forwarded: 'حُوّلت',
  findConversation: 'ابحث في محادثاتك',
  noConversation: 'لا محادثة بهذا الاسم',
  comment: 'تعليق',
  commentHint: 'يُرسل بعد الرسالة إن كتبته.',

  pickEmoji: 'اختر رمزًا تعبيريًا',
  searchEmoji: 'ابحث بالإنجليزية',
  noEmoji: 'لا يوجد رمز بهذا الاسم',
  groups: {
    faces: 'وجوه',
    hands: 'أيدٍ وأشخاص',
    hearts: 'قلوب',
    nature: 'طبيعة',
    food: 'طعام وشراب',
    things: 'أشياء',
    signs: 'إشارات',
  },
  whoReacted: 'من تفاعل',
  noReactions: 'لا أحد بعد الآن.',
  versions: 'نسخ هذه الرسالة',
  asSent: 'كما أُرسلت',
  replyTo: 'ردّ في هذه السلسلة',
  noThreads: 'لا توجد سلاسل بعد',
  noThreadsHint: 'الرد في سلسلة يجمع الموضوع في مكان واحد دون أن يشغل الغرفة كلها.',
  follow: 'متابعة',
  unfollow: 'إلغاء المتابعة',
  followHint: 'السلاسل التي تتابعها تُظهر ما لم يُقرأ فيها.',
}
