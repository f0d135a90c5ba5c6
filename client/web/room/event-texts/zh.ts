import { plurals } from '../../text/plurals.js'
import type { EventTexts } from './en.js'

const count = plurals('zh')

export const zh: EventTexts = {
  others: (n) => count(n, { other: '另外 # 人' }),
  many: (n) => count(n, { other: '# 个事件' }),
  server: '服务器',
  created: (by) => `${by} 创建了房间`,
  joined: (who) => `${who} 加入了`,
  letIn: (who, by) => `${by} 批准 ${who} 加入`,
  left: (who) => `${who} 离开了`,
  invited: (who, by) => `${by} 邀请了 ${who}`,
  removed: (who, by) => `${by} 移除了 ${who}`,
  banned: (who, by) => `${by} 封禁了 ${who}`,
  unbanned: (who, by) => `${by} 解除了对 ${who} 的封禁`,
  muted: (who, by) => `${by} 将 ${who} 禁言`,
  unmuted: (who, by) => `${by} 解除了 ${who} 的禁言`,
  role: {
    owner: (who, by) => `${by} 将 ${who} 设为所有者`,
    admin: (who, by) => `${by} 将 ${who} 设为管理员`,
    moderator: (who, by) => `${by} 将 ${who} 设为版主`,
    member: (who, by) => `${by} 将 ${who} 设为成员`,
    reader: (who, by) => `${by} 将 ${who} 设为只读成员`,
  },
  updated: {
    name: (by) => `${by} 更改了房间名称`,
    topic: (by) => `${by} 更改了房间主题`,
    avatar: (by) => `${by} 更改了房间图片`,
    access: (by) => `${by} 更改了加入方式`,
    other: (by) => `${by} 更改了房间设置`,
  },
}
