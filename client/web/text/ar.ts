import type { Catalogue } from './en.js'
import { plurals } from './plurals.js'

const count = plurals('ar')

export const ar: Catalogue = {
  close: 'إغلاق',
  cancel: 'إلغاء',
  back: 'رجوع',
  retry: 'إعادة المحاولة',
  loading: 'جارٍ التحميل…',
  notLoaded: 'تعذّر تحميل هذا الجزء من التطبيق.',
  notShown: 'تعذّر عرض هذا المحتوى.',
  skipToRoom: 'الانتقال إلى المحادثة',

  account: 'حسابك',
  accountOf: (name) => `تم الدخول باسم ${name}`,

  menu: 'القائمة',
  startNew: 'جديد',
  searchMessages: 'البحث في الرسائل',
  mentionsList: 'الإشارات إليك',
  mentionsNew: (n) => `الإشارات إليك (${n > 99 ? '99+' : n})`,
  savedMessages: 'الرسائل المحفوظة',
  followedThreads: 'السلاسل المتابَعة',
  goTo: 'الانتقال إلى…',
  deviceOffered: (user) => `يعطيك ${user} جهازًا: انظر «الأجهزة» في القائمة.`,
  devices: 'الأجهزة',
  shortcuts: 'اختصارات لوحة المفاتيح',

  rooms: 'المحادثات',
  conversation: 'المحادثة',
  newRoom: 'غرفة جديدة',
  findRoom: 'البحث عن غرفة',
  newMessage: 'مراسلة شخص',
  noRooms: 'لا شيء هنا بعد',
  noRoomsHint: 'ابحث عن غرفة، أو أنشئ واحدة وادعُ إليها، أو راسل شخصًا.',
  noMessagesYet: 'لا رسائل بعد',
  you: 'أنت',
  said: (name, text) => `${name}: ${text}`,
  unread: (n) =>
    count(n, {
      zero: 'لا رسائل غير مقروءة',
      one: 'رسالة واحدة غير مقروءة',
      two: 'رسالتان غير مقروءتين',
      few: '# رسائل غير مقروءة',
      many: '# رسالة غير مقروءة',
      other: '# رسالة غير مقروءة',
    }),
  mentions: (n) =>
    count(n, { one: 'إشارة واحدة إليك', two: 'إشارتان إليك', few: '# إشارات إليك', other: '# إشارة إليك' }),
  atMost: '+99',
  presence: { online: 'متصل', away: 'بعيد', offline: 'غير متصل' },

  filter: 'المحادثات المعروضة',
  filters: { all: 'الكل', unread: 'غير المقروءة', people: 'الأشخاص', rooms: 'الغرف', hidden: 'المخفية' },
  noneListed: 'لا شيء من هذا النوع',
  pinned: 'في الأعلى',
  muted: 'مكتومة',
  markedUnread: 'معلَّمة كغير مقروءة',
  menuOf: (name) => `قائمة ${name}`,
  aboutRoom: 'عن هذه الغرفة',
  aboutPerson: 'عن هذا الشخص',

  members: (n) =>
    count(n, { zero: 'بلا أعضاء', one: 'عضو واحد', two: 'عضوان', few: '# أعضاء', many: '# عضوًا', other: '# عضو' }),
  choose: 'اختر محادثة',
  noSuchPage: 'لا شيء في هذا العنوان',
  beginning: 'هنا تبدأ المحادثة',
  messages: 'الرسائل',
  today: 'اليوم',
  yesterday: 'أمس',
  newSince: 'جديد',
  edited: 'معدَّلة',
  gone: {
    deleted: 'حُذفت الرسالة',
    expired: 'انتهت مدة الرسالة',
    retention: 'لم تعد الرسالة محفوظة',
    blocked: 'رسالة ممن حظرته',
  },
  gap: (n) =>
    count(n, {
      one: 'رسالة واحدة لم تُحمَّل',
      two: 'رسالتان لم تُحمَّلا',
      few: '# رسائل لم تُحمَّل',
      other: '# رسالة لم تُحمَّل',
    }),
  load: 'تحميل',
  showAll: 'عرض الكل',

  copyCode: 'انسخ الشيفرة',
  copied: 'نُسخت',

  attachment: 'ملف',
  location: 'موقع',
  data: 'بيانات',
  encrypted: 'رسالة مشفَّرة',

  delivered: 'وصلت',
  read: 'قُرئت',
  seenBy: (n: number) =>
    count(n, {
      one: 'رآها شخص واحد',
      two: 'رآها شخصان',
      few: 'رآها # أشخاص',
      many: 'رآها # شخصًا',
      other: 'رآها # شخص',
    }),
  forwardedFrom: 'محوّلة من',
  within: (metres: number) => `(في حدود ${metres} م)`,

  toDate: 'انتقل إلى تاريخ',
  notHere: 'لم تعد هذه الرسالة موجودة.',
  nothingSince: 'لم يُكتب شيء منذ ذلك اليوم.',

  toLatest: 'إلى أحدث رسالة',
  toLatestNew: (n) =>
    count(n, {
      one: 'رسالة جديدة بالأسفل',
      two: 'رسالتان جديدتان بالأسفل',
      few: '# رسائل جديدة بالأسفل',
      other: '# رسالة جديدة بالأسفل',
    }),
  newMessages: (n) =>
    count(n, { one: 'رسالة جديدة', two: 'رسالتان جديدتان', few: '# رسائل جديدة', other: '# رسالة جديدة' }),
  typing: (names) => {
    if (names.length > 3) return 'عدة أشخاص يكتبون…'
    return names.length === 1 ? `${names[0]} يكتب…` : `${names.join(' و')} يكتبون…`
  },

  more: 'المزيد',
  reactions: 'التفاعلات',
  reactionOf: (emoji, n) =>
    `${emoji}، ${count(n, { one: 'شخص واحد', two: 'شخصان', few: '# أشخاص', many: '# شخصًا', other: '# شخص' })}. انضم أو تراجع`,
  whoReacted: 'من؟',
  replies: (n) =>
    n >= 100
      ? 'أكثر من 100 رد'
      : count(n, { one: 'رد واحد', two: 'ردّان', few: '# ردود', many: '# ردًا', other: '# رد' }),
  quoteMissing: 'لم تعد الرسالة موجودة',
  thread: 'سلسلة',
  threads: 'السلاسل',
  editing: 'تعدّل رسالتك',
  discardTitle: 'أتتخلى عمّا غيّرته؟',
  discard: 'التخلي عنه',

  write: 'رسالة',
  writeTo: (name) => `رسالة إلى ${name}`,
  send: 'إرسال',
  mayNotWrite: 'الكتابة هنا للمشرفين فقط.',
  archived: 'هذه الغرفة مؤرشفة: للقراءة فقط.',
  tooLongBy: (n) =>
    count(n, {
      one: 'هذا أطول من رسالة واحدة بحرف.',
      two: 'هذا أطول من رسالة واحدة بحرفين.',
      few: 'هذا أطول من رسالة واحدة بـ # أحرف.',
      many: 'هذا أطول من رسالة واحدة بـ # حرفًا.',
      other: 'هذا أطول من رسالة واحدة بـ # حرف.',
    }),
  tooLong: 'هذا أطول من رسالة واحدة.',
  sending: 'يجري الإرسال',
  queued: 'بانتظار الإرسال',
  sent: 'أُرسلت',
  failed: 'لم تُرسل',
  delete: 'حذف',

  mutedHere: 'كتمك مشرف هنا: يمكنك القراءة لا الكتابة.',
  mutedUntil: (time) => `كتمك مشرف هنا: يمكنك القراءة لا الكتابة حتى ${time}.`,
  slowMode: (seconds) =>
    count(seconds, {
      one: 'الوضع البطيء: رسالة كل ثانية.',
      two: 'الوضع البطيء: رسالة كل ثانيتين.',
      few: 'الوضع البطيء: رسالة كل # ثوانٍ.',
      many: 'الوضع البطيء: رسالة كل # ثانية.',
      other: 'الوضع البطيء: رسالة كل # ثانية.',
    }),
  slowWait: (seconds) =>
    count(seconds, {
      one: 'يمكنك الإرسال مجددًا بعد ثانية',
      two: 'يمكنك الإرسال مجددًا بعد ثانيتين',
      few: 'يمكنك الإرسال مجددًا بعد # ثوانٍ',
      many: 'يمكنك الإرسال مجددًا بعد # ثانية',
      other: 'يمكنك الإرسال مجددًا بعد # ثانية',
    }),
  noCommand: (name) => `لا يوجد هنا بوت لديه الأمر /${name}. أرسله مرة أخرى ليُقال نصًا.`,
  commandTaken: (bot) => `استلم ${bot} الأمر.`,

  files: {
    attach: 'إرفاق ملفات',
    drop: 'أفلِت للإرفاق',
    tooLarge: (name, limit) => `${name} كبير جدًا: الحد الأقصى للملف ${limit}.`,
    tooMany: (n) =>
      count(n, {
        one: 'تحمل الرسالة ملفًا واحدًا على الأكثر.',
        two: 'تحمل الرسالة ملفين على الأكثر.',
        few: 'تحمل الرسالة # ملفات على الأكثر.',
        many: 'تحمل الرسالة # ملفًا على الأكثر.',
        other: 'تحمل الرسالة # ملف على الأكثر.',
      }),
    wrongType: (name) => `لا يمكن إرسال ملفات من نوع ${name} هنا.`,
    empty: (name) => `${name} فارغ، أو هو مجلد.`,
    uploading: 'جارٍ إرسال الملفات',
    progress: (done, total) => `${done} من ${total}`,
    checking: 'يفحصه الخادم…',
    cancel: 'إلغاء الإرسال',
    enlarge: (words) => `تكبير: ${words}`,
    record: 'تسجيل رسالة صوتية',
    picture: 'صورة',
    save: (name) => `حفظ ${name}`,
    openAt: (name, host) => `فتح ${name} على ${host}`,
    gone: 'لم يعد الملف موجودًا.',
    blocked: 'لا يقبل الخادم هذا الملف: فقد تبيّن أنه ضار.',
    unreadable: 'لا يستطيع الخادم قراءة هذه الصورة.',
    noSpace: 'لا توجد مساحة على الخادم لمزيد من ملفاتك.',
  },

  emoji: 'رموز تعبيرية',
  offline: 'لا يوجد اتصال.',
  offlineHint: 'يُرسل ما تكتبه حين يعود.',
  waitingToSend: (n) =>
    count(n, { one: 'رسالة واحدة تنتظر', two: 'رسالتان تنتظران', few: '# رسائل تنتظر', other: '# رسالة تنتظر' }),
  retryNow: 'حاول الآن',

  newVersion: 'إصدار جديد جاهز.',
  reload: 'إعادة التحميل',
  later: 'لاحقًا',

  problems: {
    login: 'الاسم أو كلمة المرور غير صحيحة.',
    code: 'الرمز غير صحيح أو استُخدم من قبل.',
    nameTaken: 'هذا الاسم مستخدم.',
    name: 'لا يصلح اسمًا للمستخدم.',
    password: 'كلمة المرور غير مقبولة: اختر واحدة من ستة أحرف أو أكثر.',
    roomTaken: 'توجد غرفة بهذا العنوان.',
    roomName: 'لا يصلح عنوانًا لغرفة.',
    invite: 'الدعوة غير صالحة، أو لم تعد صالحة.',
    tooFast: (seconds) =>
      seconds > 0
        ? count(seconds, {
            one: 'أسرع من اللازم: انتظر ثانية.',
            two: 'أسرع من اللازم: انتظر ثانيتين.',
            few: 'أسرع من اللازم: انتظر # ثوانٍ.',
            other: 'أسرع من اللازم: انتظر # ثانية.',
          })
        : 'أسرع من اللازم: انتظر لحظة.',
    offline: 'لا يوجد اتصال بالخادم.',
    forbidden: 'لا يحق لك ذلك.',
    notFound: 'غير موجود، أو لم يعد موجودًا.',
    tooLarge: 'أكبر من اللازم.',
    storage: 'لا توجد مساحة على هذا الجهاز.',
    unavailable: 'لا يستطيع الخادم ذلك الآن.',
    other: 'لم ينجح ذلك.',
  },
}
