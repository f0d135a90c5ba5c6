import type { CatalogueOf } from '../../text/en.js'
import type { en } from './en.js'

export const zh: CatalogueOf<typeof en> = {
  pictureOf: (n, all) => (all > 1 ? `第 ${n} 张图片，共 ${all} 张` : '图片'),
  place: (n, all) => `${n} / ${all}`,
  previous: '上一张图片',
  next: '下一张图片',
  smaller: '缩小',
  larger: '放大',

  recording: '正在录音',
  asking: '浏览器正在询问是否允许使用麦克风…',
  cancelRecording: '放弃录音',
  sendRecording: '发送录音',
  refused: '浏览器不允许此页面使用麦克风。您可以在地址栏旁边允许它。',
  noMicrophone: '没有麦克风。',
  tooShort: '没有录到声音。',
  voiceMessage: '语音消息',
  play: '播放',
  pause: '暂停',
  position: '播放位置',

  chosen: (n) => `待发送的文件：${n} 个`,
  remove: (name) => `移除 ${name}`,
  moveUp: (name) => `将 ${name} 上移`,
  alt: '替代文字',
  altOf: (name) => `替代文字：${name}`,
  altHint: '为看不到图片的人描述其内容',
  describe: (name) => `描述 ${name}`,
}
