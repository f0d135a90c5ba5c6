/** `topictalk chat`: runs the chat client on a terminal. */
import { readFileSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import { chat } from '../../client/terminal/chat.js'
import { isRoomId, isUserId } from '../../schemas/ids.js'
import { askPassword } from './password.js'
import { CommandError } from './report.js'

export interface ChatFlags {
  url: string
  user: string
  passwordStdin?: boolean
  token?: string
  cafile?: string
}

const PROTOCOLS = new Set(['mqtt:', 'mqtts:', 'ws:', 'wss:'])

export async function chatInTerminal(room: string, flags: ChatFlags): Promise<void> {
  checkArguments(room, flags)
  const asked = await passwordBeforehand(flags)
  const terminal = openTerminal()
  try {
    const password = asked ?? (await terminal.firstLine())
    if (password === '') throw new CommandError('no password given')
    const took = await chat({ url: flags.url, user: flags.user, password, room, ...authority(flags), ...terminal })
    if (!took) process.exitCode = 1
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error })
  } finally {
    terminal.close()
  }
}

function checkArguments(room: string, { url, user }: ChatFlags): void {
  const fits = room.startsWith('@') ? isUserId(room.slice(1)) : isRoomId(room)
  if (!fits) throw new CommandError(`${room} is neither a room nor @ and a user`)
  if (!isUserId(user)) throw new CommandError(`--user: ${JSON.stringify(user)} is not a user name`)
  if (!URL.canParse(url) || !PROTOCOLS.has(new URL(url).protocol))
    throw new CommandError(`--url: expected mqtt://, mqtts://, ws:// or wss://, got ${url}`)
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
async function passwordBeforehand({ user, token, passwordStdin }: ChatFlags): Promise<string | null> {
  if (passwordStdin) return null
  return token ?? process.env['TOPICTALK_PASSWORD'] ?? (await askPassword(`Password for ${user}: `, false))
}

/** Reads and writes lines. On a terminal, received lines are printed above the line being typed. */
function openTerminal() {
  const { stdin, stdout } = process
  const isTerminal = stdin.isTTY === true && stdout.isTTY === true
  const reader = createInterface({
    input: stdin,
    output: isTerminal ? stdout : undefined,
    terminal: isTerminal,
    prompt: '',
  })
  const lines = reader[Symbol.asyncIterator]()
  reader.on('SIGINT', () => reader.close())
  return {
    lines: { [Symbol.asyncIterator]: () => lines },
    firstLine: async () => (await lines.next()).value ?? '',
    print: (line: string) => (isTerminal ? writeAbove(reader, line) : console.log(line)),
    printStatus: (line: string) => (isTerminal ? writeAbove(reader, line) : console.error(line)),
    close: () => reader.close(),
  }
}

function writeAbove(reader: Interface, line: string): void {
  process.stdout.write(`\r\x1b[J${line}\n`)
  reader.prompt(true)
}
