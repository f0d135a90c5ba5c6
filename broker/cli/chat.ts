/** `topictalk chat`: runs the chat client on a terminal. */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from '../../client/terminal/connection.js'
import { lineChat } from '../../client/terminal/line-chat.js'
import { screenChat } from '../../client/terminal/screen/screen-chat.js'
import { isUtf8, styleOf } from '../../client/terminal/screen/style.js'
import { isRoomId, isUserId } from '../../schemas/ids.js'
import { openLines } from './chat-lines.js'
import { askPassword } from './password.js'
import { CommandError } from './report.js'

export interface ChatFlags {
  url: string
  user: string
  passwordStdin?: boolean
  token?: string
  cafile?: string
  store?: string
  http?: string
  plain?: boolean
  bell: boolean
}

const PROTOCOLS = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:', 'http:', 'https:'])

export async function chatInTerminal(room: string, flags: ChatFlags): Promise<void> {
  checkArguments(room, flags)
  const asked = await passwordBeforehand(flags)
  try {
    if (asked !== null && isForScreen(flags)) await onScreen(room, connectionOf(flags, asked), flags.bell)
    else await inLines(room, flags, asked)
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error })
  }
}

/** Whether somebody sees a terminal that can move its cursor. */
function isTyped(): boolean {
  const { stdin, stdout, env } = process
  return stdin.isTTY === true && stdout.isTTY === true && env['TERM'] !== 'dumb'
}

function isForScreen({ plain = false }: ChatFlags): boolean {
  return isTyped() && !plain && !process.env['ACCESSIBLE']
}

async function onScreen(room: string, connection: ConnectionOptions, bell: boolean): Promise<void> {
  const { stdin: input, stdout: output, env, platform } = process
  const style = styleOf(output.getColorDepth(), isUtf8(env, platform))
  const { unsent, isKept } = await screenChat({ ...connection, room, input, output, style, bell })
  if (unsent === 0) return
  process.exitCode = 1
  console.error(`messages that were not sent: ${unsent}${isKept ? '; they are kept' : ''}`)
}

async function inLines(room: string, flags: ChatFlags, asked: string | null): Promise<void> {
  // As a line at a terminal it would be shown, and be there again with the arrow up.
  const typed = asked === null && process.stdin.isTTY ? await askForPassword(flags) : null
  const terminal = openLines(isTyped())
  try {
    const password = asked ?? typed ?? (await terminal.firstLine())
    if (!(await lineChat({ ...connectionOf(flags, password), room, ...terminal }))) process.exitCode = 1
  } finally {
    terminal.close()
  }
}

function connectionOf(flags: ChatFlags, password: string): ConnectionOptions {
  if (password === '') throw new CommandError('no password given')
  const { url, user, store, http } = flags
  const more = { ...(store !== undefined && { store }), ...(http !== undefined && { http }) }
  return { url, user, password, ...authority(flags), ...more }
}

function checkArguments(room: string, { url, user }: ChatFlags): void {
  const fits = room.startsWith('@') ? isUserId(room.slice(1)) : isRoomId(room)
  if (!fits) throw new CommandError(`${room} is neither a room nor @ and a user`)
  if (!isUserId(user)) throw new CommandError(`--user: ${JSON.stringify(user)} is not a user name`)
  if (!URL.canParse(url) || !PROTOCOLS.has(new URL(url).protocol))
    throw new CommandError(`--url: expected mqtt://, mqtts://, ws://, wss://, http:// or https://, got ${url}`)
}

function authority({ cafile }: ChatFlags): { ca?: Buffer } {
  if (cafile === undefined) return {}
  try {
    return { ca: readFileSync(cafile) }
  } catch (error) {
    throw new CommandError(`--cafile: cannot read ${cafile}: ${(error as Error).message}`)
  }
}

/** Null: the password is the first line of standard input, before the lines of chat. */
async function passwordBeforehand(flags: ChatFlags): Promise<string | null> {
  if (flags.passwordStdin) return null
  return flags.token ?? process.env['TOPICTALK_PASSWORD'] ?? (await askForPassword(flags))
}

function askForPassword({ user }: ChatFlags): Promise<string> {
  return askPassword(`Password for ${user}: `, false)
}
