import type { CatalogueOf } from '../../text/en.js'
import type { en } from './en.js'

export const zh: CatalogueOf<typeof en> = {
  offer: '当您在看别处时，要让浏览器通知您有新消息吗？',
  turnOn: '开启',
  notNow: '暂不',
  title: '此浏览器的通知',
  choices: { off: '不通知', sender: '显示发送者', text: '显示发送者和内容' },
  blocked: '浏览器已阻止此页面的通知。您可以在浏览器设置中允许。',
  unavailable: '此浏览器只有通过 https 才能使用通知。',
  whileOpen: '在标签页打开期间有效。通知哪些消息由各房间的设置决定。',
  quiet: '免打扰时段',
  quietFrom: '免打扰开始',
  quietTo: '免打扰结束',
  newMessage: '新消息',
  inRoom: (sender, room) => `${sender} · ${room}`,
}
