import { plurals } from '../../text/plurals.js'
import type { AccountTexts } from './en.js'

const count = plurals('zh')

export const zh: AccountTexts = {
  logIn: '登录',
  register: '创建账号',
  user: '用户名',
  userHint: '字母、数字和 . _ - | ~ @，不含空格。',
  password: '密码',
  passwordHint: '至少六个字符；最好是较长的、没有在别处用过的密码。',
  missing: {
    user: '请输入用户名。',
    password: '请输入密码。',
    invite: '请输入邀请码。',
    token: '请输入收到的链接或代码。',
  },
  code: '身份验证器应用中的验证码',
  codeHint: '或一个恢复码。',
  invite: '邀请码',
  inviteHint: '在此创建账号需要邀请。',
  newHere: '第一次来？',
  haveAccount: '已有账号？',
  registrationClosed: '账号由此服务器的管理者创建。',
  notKept: '此连接未加密，浏览器不会记住您的登录。',
  loggedOut: {
    deleted: '您的账号已删除。',
    expired: '登录已过期，请重新登录。',
    revoked: '您已被登出。',
    refused: '请登录后继续。',
    logout: '您已退出登录。',
  },
  logOut: '退出登录',
  settings: '设置',
  logInWith: (provider) => (provider === null ? '使用您所在组织的账号登录' : `使用 ${provider} 登录`),
  or: '或',
  invited: '您受邀加入此服务器。',
  toJoin: (room) => `您收到了进入房间 ${room} 的链接。登录后即可继续。`,
  forgotten: '忘记密码？',
  newPassword: '新密码',
  setPassword: '设置新密码',
  resetHint: '这里不发送邮件。请向此服务器的管理者索取链接，用它设置新密码。',
  resetCode: '您收到的链接或其中的代码',
  wasReset: '新密码已设置，请用它登录。',
  suspended: '此账号已被停用。请联系此服务器的管理者。',
  badReset: '此链接已被使用或已过期。请再要一个。',
  notConfirmed: '登录未得到确认，请重新开始。',
  tooManyTries: (seconds) =>
    seconds > 90
      ? count(Math.ceil(seconds / 60), { other: '尝试次数过多。请在 # 分钟后重试。' })
      : count(Math.max(1, Math.ceil(seconds)), { other: '尝试次数过多。请在 # 秒后重试。' }),
  unsentLost: (n) => count(n, { other: '有 # 条消息尚未发送：退出登录后将丢失。' }),
  language: '语言',
  theme: '外观',
  themes: { system: '跟随系统', light: '浅色', dark: '深色' },
}
