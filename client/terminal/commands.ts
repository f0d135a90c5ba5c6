/** What a person can do besides talking: `/name …`. */
import type { Command, Commands } from './command.js'
import { type Desk, sendDirect, sendText } from './desk.js'
import { FILE_COMMANDS } from './file-commands.js'
import type { Input } from './input.js'
import { LOOKING_COMMANDS } from './looking-commands.js'
import { MESSAGE_COMMANDS } from './message-commands.js'
import { OUTBOX_COMMANDS } from './outbox-commands.js'
import { ROOM_COMMANDS } from './room-commands.js'

const CHAT_COMMANDS: Commands = {
  help: {
    takes: '[COMMAND]',
    help: 'what there is to type',
    completes: 'command',
    isAnywhere: true,
    run: (desk, rest) => desk.say(helpOf(rest.replace(/^\//, ''), desk.botCommands)),
  },
  quit: { help: 'ends the chat', isAnywhere: true, run: (desk) => desk.quit() },
}

/** By what they are about, in the order of the help. */
const GROUPS: Readonly<Record<string, Commands>> = {
  rooms: ROOM_COMMANDS,
  messages: MESSAGE_COMMANDS,
  looking: LOOKING_COMMANDS,
  files: FILE_COMMANDS,
  'not sent': OUTBOX_COMMANDS,
  chat: CHAT_COMMANDS,
}

export const COMMANDS: Commands = Object.assign({}, ...Object.values(GROUPS))

/** Undefined: there is none of this name. */
export function commandNamed(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
}

/** All of them, or one. Throws an error if there is none of this name. */
function helpOf(name: string, botCommands: readonly string[]): string {
  if (name) {
    const command = commandNamed(name)
    if (!command) throw new Error(`no command /${name}; /help lists them`)
    return `${usageOf(name, command)}: ${command.help}`
  }
  const ofBots = botCommands.map((one) => `/${one}`).join(' · ')
  return [
    ...Object.entries(GROUPS).map(([about, commands]) => `${about}: ${usages(commands)}`),
    ...(ofBots ? [`bots: ${ofBots}`] : []),
    '#N is a message by its number; without it the last one is meant. /help COMMAND says what it does',
    '@bob hi sends bob a direct message; // begins a line with /; Tab completes',
  ].join('\n')
}

function usages(commands: Commands): string {
  return Object.entries(commands)
    .map(([name, command]) => usageOf(name, command))
    .join(' · ')
}

function usageOf(name: string, { takes }: Command): string {
  return `/${name}${takes ? ` ${takes}` : ''}`
}

/** Does what was typed. Rejects with an error that says why not. */
export async function obey(desk: Desk, input: Input): Promise<void> {
  if (input.kind === 'text') sendText(desk, input.text)
  else if (input.kind === 'direct') sendDirect(desk, input.user, input.text)
  else if (input.kind === 'command') await runCommand(desk, input.name, input.rest)
}

async function runCommand(desk: Desk, name: string, rest: string): Promise<void> {
  const command = commandNamed(name)
  if (command) return command.run(desk, rest)
  if (!(await botCommandsOf(desk, name)).includes(name))
    throw new Error(`no command /${name}; /help lists them, // begins a line with /`)
  sendText(desk, `/${name}${rest && ` ${rest}`}`)
}

/** As they are; without an answer a command that was known is believed to be there. Rejects with a `ChatError`. */
async function botCommandsOf({ chat, room, botCommands }: Desk, name: string): Promise<readonly string[]> {
  try {
    const { commands } = await chat.ask.slash.list({ room: room.id })
    return commands.map((one) => one.name)
  } catch (error) {
    if (botCommands.includes(name)) return botCommands
    throw error
  }
}
