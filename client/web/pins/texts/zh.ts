import { plurals } from '../../text/plurals.js'
import type { PinTexts } from './en.js'

const count = plurals('zh')

export const zh: PinTexts = {
  pins: '置顶消息',
  pinned: (text) => `置顶消息：${text}`,
  all: (n) => count(n, { other: '全部 # 条置顶消息' }),
  none: '没有置顶消息',
  noneHint: '有权限的人可在消息菜单中置顶。',
}
