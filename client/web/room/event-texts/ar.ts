import { plurals } from '../../text/plurals.js'
import type { EventTexts } from './en.js'

const count = plurals('ar')

export const ar: EventTexts = {
  others: (n) => count(n, { one: 'شخص آخر', two: 'شخصان آخران', few: '# آخرون', many: '# آخرون', other: '# آخرون' }),
  many: (n) => count(n, { one: 'حدث واحد', two: 'حدثان', few: '# أحداث', many: '# حدثًا', other: '# حدث' }),
  server: 'الخادم',
  created: (by) => `أنشأ ${by} الغرفة`,
  joined: (who) => `انضم ${who}`,
  letIn: (who, by) => `سمح ${by} بدخول ${who}`,
  left: (who) => `غادر ${who}`,
  invited: (who, by) => `دعا ${by} ${who}`,
  removed: (who, by) => `أزال ${by} ${who}`,
  banned: (who, by) => `حظر ${by} ${who}`,
  unbanned: (who, by) => `رفع ${by} الحظر عن ${who}`,
  muted: (who, by) => `كتم ${by} ${who}`,
  unmuted: (who, by) => `ألغى ${by} كتم ${who}`,
  role: {
    owner: (who, by) => `منح ${by} ${who} دور مالك`,
    admin: (who, by) => `منح ${by} ${who} دور مدير`,
    moderator: (who, by) => `منح ${by} ${who} دور مشرف`,
    member: (who, by) => `منح ${by} ${who} دور عضو`,
    reader: (who, by) => `منح ${by} ${who} دور قارئ`,
  },
  updated: {
    name: (by) => `غيّر ${by} اسم الغرفة`,
    topic: (by) => `غيّر ${by} موضوع الغرفة`,
    avatar: (by) => `غيّر ${by} صورة الغرفة`,
    access: (by) => `غيّر ${by} من يمكنه الدخول`,
    other: (by) => `غيّر ${by} إعدادات الغرفة`,
  },
}
