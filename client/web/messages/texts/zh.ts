import { plurals } from '../../text/plurals.js'
import type { Messages } from './en.js'

const count = plurals('zh')

export const zh: Messages = {
  forward: '转发',
  forwardTo: '转发给',
  forwardNow: (n) => count(n, { other: '转发给 # 个会话' }),
  forwarded: '已转发',
  findConversation: '搜索你的会话',
  noConversation: '没有这个名称的会话',
  comment: '附言',
  commentHint: '如果填写，会在消息之后发送。',

  pickEmoji: '选择表情',
  searchEmoji: '用英文搜索',
  noEmoji: '没有这个名称的表情',
  groups: {
    faces: '表情',
    hands: '手势与人物',
    hearts: '爱心',
    nature: '自然',
    food: '饮食',
    things: '物品',
    signs: '符号',
  },
  whoReacted: '谁做了回应',
  noReactions: '现在没有人回应。',
  versions: '这条消息的各个版本',
  asSent: '最初发送的内容',
  replyTo: '在此话题中回复',
  noThreads: '还没有话题',
  noThreadsHint: '在话题中回复可以把同一件事放在一起，而不打扰整个房间。',
  follow: '关注',
  unfollow: '取消关注',
  followHint: '关注的话题会显示未读的回复。',
}
