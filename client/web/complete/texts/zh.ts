import type { CatalogueOf } from '../../text/en.js'
import type { en } from './en.js'

export const zh: CatalogueOf<typeof en> = {
  titles: { command: '机器人命令', person: '用户', emoji: '表情' },
  count: (n) => `${n} 条建议`,
  everyone: '房间中的所有人',
  notMember: '不在房间中',
}
