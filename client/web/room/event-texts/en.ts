import type { CatalogueOf } from '../../text/en.js'
import { plurals } from '../../text/plurals.js'

const count = plurals('en')

/** `who` is one name or several, `by` the one who did it. */
export const en = {
  others: (n: number) => count(n, { one: '# other', other: '# others' }),
  many: (n: number) => count(n, { one: '# event', other: '# events' }),
  server: 'The server',
  created: (by: string) => `${by} made the room`,
  joined: (who: string) => `${who} joined`,
  letIn: (who: string, by: string) => `${by} let ${who} in`,
  left: (who: string) => `${who} left`,
  invited: (who: string, by: string) => `${by} invited ${who}`,
  removed: (who: string, by: string) => `${by} removed ${who}`,
  banned: (who: string, by: string) => `${by} banned ${who}`,
  unbanned: (who: string, by: string) => `${by} lifted the ban of ${who}`,
  muted: (who: string, by: string) => `${by} muted ${who}`,
  unmuted: (who: string, by: string) => `${by} let ${who} write again`,
  role: {
    owner: (who: string, by: string) => `${by} gave ${who} the role of an owner`,
    admin: (who: string, by: string) => `${by} gave ${who} the role of an administrator`,
    moderator: (who: string, by: string) => `${by} gave ${who} the role of a moderator`,
    member: (who: string, by: string) => `${by} gave ${who} the role of a member`,
    reader: (who: string, by: string) => `${by} gave ${who} the role of a reader`,
  },
  updated: {
    name: (by: string) => `${by} renamed the room`,
    topic: (by: string) => `${by} changed what the room is about`,
    avatar: (by: string) => `${by} changed the picture of the room`,
    access: (by: string) => `${by} changed who may come in`,
    other: (by: string) => `${by} changed the settings of the room`,
  },
}

export type EventTexts = CatalogueOf<typeof en>
