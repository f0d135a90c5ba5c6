import { plurals } from '../../text/plurals.js'
import type { RefusalTexts } from './en.js'

const count = plurals('zh')

export const zh: RefusalTexts = {
  links: '这里不允许发送链接。',
  words: '消息中有这里不允许的词语。',
  mentions: '这里只有管理员可以提及所有人。',
  files: '这里不允许发送文件。',
  fileKind: '这里不允许发送这类文件。',
  fileSize: '文件超过了此房间允许的大小。',
  filePlace: '这里不允许使用该地址的文件。',
  tooManyFiles: (most) => count(most, { other: '这里每条消息最多 # 个文件。' }),
  data: '这里不允许发送这类数据。',
}
