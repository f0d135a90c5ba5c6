import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'
import type { en } from './en.js'

const count = plurals('ar')

export const ar: CatalogueOf<typeof en> = {
  filters: 'عوامل التصفية',
  query: 'كلمات في الرسائل وأسماء الملفات',
  queryHint: '"كلمتان" متجاورتان، و‎begin*‎ لبداية كلمة',
  within: 'في',
  everywhere: 'كل المحادثات',
  from: 'من',
  fromHint: 'اسم المستخدم',
  since: 'من يوم',
  until: 'إلى يوم',
  clear: 'مسح عوامل التصفية',
  results: 'الرسائل التي عُثر عليها',
  found: (n, isAll) =>
    isAll
      ? count(n, {
          zero: 'لا رسائل',
          one: 'رسالة واحدة',
          two: 'رسالتان',
          few: '# رسائل',
          many: '# رسالة',
          other: '# رسالة',
        })
      : count(n, { few: 'أحدث # رسائل', many: 'أحدث # رسالة', other: 'أحدث # رسالة' }),
  nothingFound: 'لا توجد رسالة فيها كل هذه الكلمات',
  nothingFoundHint: 'جرّب كلمات أقل، أو بداية كلمة (begin*)، أو عوامل تصفية أخرى.',
  searchFor: 'ابحث في رسائلك',
  searchForHint: 'في كل الغرف والمحادثات التي أنت فيها، ما دامت رسائلها محفوظة.',
  pending: (n) =>
    count(n, {
      one: 'لم يُفهرس عنصر واحد بعد.',
      two: 'لم يُفهرس عنصران بعد.',
      few: 'لم تُفهرس # عناصر بعد.',
      many: 'لم يُفهرس # عنصرًا بعد.',
      other: 'لم يُفهرس # عنصر بعد.',
    }),
  searchOff: 'هذا الخادم لا يبحث في الرسائل.',
  badQuery: 'البحث يقبل 16 كلمة على الأكثر، وحرفين على الأقل قبل *.',

  mentions: 'الإشارات إليك',
  noMentions: 'لم يُشر إليك أحد بعد',
  noMentionsHint: 'تجتمع هنا الرسائل التي فيها ‎@أنت‎ أو ‎@room‎.',
  notRead: 'لم تُقرأ بعد',

  saved: 'الرسائل المحفوظة',
  noSaved: 'لم تحفظ شيئًا بعد',
  noSavedHint: 'احفظ رسالة من قائمتها لتجدها هنا. لا يرى ذلك غيرك.',
  unsave: 'إزالة من الرسائل المحفوظة',
  savedGone: 'لم تعد هذه الرسالة تُعرض لك.',
  note: 'ملاحظة',
  noteHint: 'أنت وحدك تراها.',
  addNote: 'إضافة ملاحظة',
  changeNote: 'تغيير الملاحظة',
  saveNote: 'حفظ',

  threads: 'السلاسل المتابَعة',
  noThreads: 'لا تتابع أي سلسلة بعد',
  noThreadsHint: 'تابع سلسلة ليُحصى هنا ما هو جديد فيها.',
  unreadReplies: (n) =>
    count(n, {
      one: 'رد جديد',
      two: 'ردّان جديدان',
      few: '# ردود جديدة',
      many: '# ردًا جديدًا',
      other: '# رد جديد',
    }),
  replies: (n) =>
    count(n, { zero: 'لا ردود', one: 'رد واحد', two: 'ردّان', few: '# ردود', many: '# ردًا', other: '# رد' }),

  jumpTo: 'انتقل إلى',
  jumpToField: 'اسم غرفة أو شخص',
  places: 'الغرف والأشخاص',
  noPlaces: 'لا غرفة ولا أحد بهذا الاسم',
  person: 'شخص',
  switcherHint: '↑ ↓ للاختيار، وEnter للفتح',

  shortcuts: 'اختصارات لوحة المفاتيح',
  shortcutOf: {
    switcher: 'الانتقال إلى غرفة أو شخص',
    search: 'البحث في الرسائل',
    nextRoom: 'المحادثة التالية أو السابقة',
    nextUnread: 'التالية أو السابقة التي فيها رسائل غير مقروءة',
    markRead: 'تحديد المحادثة كمقروءة',
    help: 'هذه الاختصارات',
    send: 'إرسال الرسالة',
    line: 'سطر جديد',
    move: 'التنقل في قائمة',
    close: 'إغلاق ما هو مفتوح',
  },
}
