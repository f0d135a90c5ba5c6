/** People who chat at real terminals. */
import type { Test } from 'tap'
import type { TestBroker } from './broker.js'
import { CLI } from './command.js'
import { Tmux, type TmuxOptions } from './tmux.js'

export interface Address {
  readonly url: string
  readonly token: string
}

/** The prompt is there before the connection, of which the line above it tells for as long as it is not there. */
const ONLINE = /^(?![\s\S]* (idle|connecting|catching up|offline)\b)[\s\S]*lobby>/

/** A shell that has begun to chat, and is connected. */
export async function chatting(t: Test, { url, token }: Address, user: string, options: TmuxOptions = {}, more = '') {
  const tmux = await Tmux.start(t, { ...options, env: { TOPICTALK_PASSWORD: token, ...options.env } })
  await tmux.enter(`${process.execPath} ${CLI} chat lobby --user ${user} --url ${url} ${more}`)
  await tmux.until(ONLINE)
  return tmux
}

export async function addressOf(broker: TestBroker, user: string): Promise<Address> {
  return { url: broker.mqttUrl, token: await broker.token(user) }
}
