import { useEffect, useRef, useState } from 'preact/hooks'
import type { CommandResult } from '../../../schemas/commands.js'
import type { ChatError, ChatEvents } from '../../index.js'
import { usePresent } from '../state/context.js'
import { asChatError } from '../ui/use-request.js'

export type Command = CommandResult<'devices.commands'>['commands'][number]

/** Ms after which what is not finished is looked at again: nobody tells that a command was delivered, nor of those of others. */
const AGAIN = 5000
const PAGE = 20
/** So many of the newest ones are looked at again: the most of one page. */
const MOST_AGAIN = 200

interface Commands {
  /** The newest one first. */
  readonly list: readonly Command[]
  readonly hasMore: boolean
  readonly error: ChatError | null
  readonly isKnown: boolean
}

/** The commands of a device, and what has become of them. */
export function useCommands(device: string) {
  const { chat } = usePresent()
  const [commands, setCommands] = useState<Commands>({ list: [], hasMore: false, error: null, isKnown: false })
  const known = useRef(commands)
  known.current = commands
  const load = async (before?: string): Promise<void> => {
    // The newest ones, as far as one of them is not finished.
    const limit = before === undefined ? Math.max(PAGE, openOf(known.current.list)) : PAGE
    try {
      const page = await chat.ask.devices.commands({ device, limit, ...(before !== undefined && { before }) })
      setCommands((known) => joined(known, page, before === undefined))
    } catch (error) {
      setCommands((known) => ({ ...known, error: asChatError(error) }))
    }
  }
  useEffect(() => {
    void load()
    return chat.on('deviceCommand', (event) => {
      if (event.device !== device) return
      setCommands((known) => ({ ...known, list: known.list.map((one) => withOutcome(one, event)) }))
      void load()
    })
  }, [chat, device])
  useEffect(() => {
    if (openOf(commands.list) === 0) return
    const timer = setTimeout(() => void load(), AGAIN)
    return () => clearTimeout(timer)
  }, [commands])
  return { ...commands, again: () => void load(), earlier: () => void load(commands.list.at(-1)?.id) }
}

/** How many of the newest ones there are down to the last that is not finished. */
function openOf(list: readonly Command[]): number {
  return list.slice(0, MOST_AGAIN).findLastIndex(({ finishedAt }) => finishedAt === null) + 1
}

export function isOutcome(state: string): state is Command['state'] {
  return state === 'done' || state === 'failed' || state === 'expired'
}

function withOutcome(command: Command, { command: id, state, result, error }: ChatEvents['deviceCommand']): Command {
  if (command.id !== id || !isOutcome(state)) return command
  return {
    ...command,
    ...{ state, finishedAt: Date.now() },
    ...(result !== undefined && { result }),
    ...(error !== undefined && { error }),
  }
}

/** A page has the newest ones, beside which there are no others down to its last, or those before what is known. */
function joined(known: Commands, page: CommandResult<'devices.commands'>, isNewest: boolean): Commands {
  const kept = isNewest ? known.list.filter(({ id }) => id < (page.commands[0]?.id ?? '')) : known.list
  const all = new Map([...kept, ...page.commands].map((one) => [one.id, one]))
  const list = [...all.values()].sort((a, b) => (a.id < b.id ? 1 : -1))
  const isFirst = isNewest && known.isKnown
  return { list, hasMore: isFirst ? known.hasMore : page.more, error: null, isKnown: true }
}
