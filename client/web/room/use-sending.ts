import { useRef, useState } from 'preact/hooks'
import type { ChatError, Outgoing, RoomInfo } from '../../index.js'
import { unknownCommand } from '../complete/commands.js'
import { foundBy, mentionsIn } from '../complete/mentions.js'
import type { Recorded } from '../files/recording.js'
import { attachOf, attachRecorded, empty } from '../files/tray.js'
import { type ChosenFiles, useFiles } from '../files/use-files.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { server } from '../state/server.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { announce } from '../ui/announcer.js'
import type { Area } from '../ui/area.js'
import { asChatError } from '../ui/use-request.js'
import { learnMute } from './mutes.js'
import { noteSent } from './pace.js'
import { excessOf } from './too-long.js'
import { useWait, type Wait } from './use-wait.js'
import { useWriting, type Writing } from './use-writing.js'
import type { View } from './view.js'

export interface Sending {
  readonly writing: Writing
  /** Of what is sent; an edit has none. */
  readonly files: ChosenFiles
  /** There is nothing to send. */
  readonly isEmpty: boolean
  readonly wait: Wait
  /** Characters that are too many. */
  readonly excess: number
  /** Why something was not taken, one sentence each. */
  readonly problems: readonly string[]
  /** Which bot took a command; null: nothing is to be said. */
  readonly notice: string | null
  readonly tell: (problems: readonly string[]) => void
  readonly send: () => void
  readonly sendRecorded: (recorded: Recorded) => void
}

/** @param sent Called when something was sent */
export function useSending(view: View, info: RoomInfo | null, area: Area, sent: () => void): Sending {
  const { chat, user } = usePresent()
  const { room } = view
  const writing = useWriting(view)
  const [{ problems, notice }, setSaid] = useState<{ problems: readonly string[]; notice: string | null }>(NOTHING)
  const tell = (problems: readonly string[]): void => setSaid({ problems, notice: null })
  const chosen = useFiles(view.place, info, (why) => {
    tell(why)
    area.current?.focus()
  })
  const wait = useWait(room.id, info)
  const mayAttach = chosen.mayAttach && !writing.isEdit
  const text = writing.text.trim()
  const files = mayAttach ? chosen.tray.value : []
  const isEmpty = text === '' && files.length === 0 && !writing.hasFiles
  const excess = excessOf(text, server.value, info)
  const mentions = useMentions(view, text)
  const isMeant = useMeant()
  /** A bot may take it, and moderators may have a word about it. */
  const follow = (outgoing: Outgoing): void => {
    outgoing.sent.then(
      ({ command }) => {
        if (command) setSaid({ problems: [], notice: texts.value.commandTaken(command.bot) })
      },
      ({ code }: ChatError) => {
        if (code === 'forbidden') learnMute(chat, user, room.id).catch(() => {})
      },
    )
  }
  const give = (outgoing: () => Outgoing): boolean => {
    try {
      follow(outgoing())
      tell([])
      sent()
      return true
    } catch (error) {
      tell([refusalText(error)])
      return false
    } finally {
      area.current?.focus()
    }
  }
  const send = (): void => {
    if (isEmpty) return
    if (excess > 0) return announce(texts.value.tooLongBy(excess))
    if (wait.seconds > 0 && !writing.isEdit) return announce(texts.value.slowWait(wait.seconds))
    const unknown = writing.isEdit ? null : unknownCommand(chat, room.id, text)
    if (unknown !== null && !isMeant(text)) return tell([texts.value.noCommand(unknown)])
    const content = {
      ...(text === '' ? {} : { text }),
      ...(mentions.length > 0 || writing.isEdit ? { mentions } : {}),
    }
    const isGiven = give(() => writing.send(content, { attach: files.map(attachOf) }))
    if (!isGiven || writing.isEdit) return
    empty(chosen.tray)
    noteSent(chat, room.id)
  }
  const sendRecorded = (recorded: Recorded): void => {
    if (give(() => writing.sendBeside({}, { attach: [attachRecorded(recorded)] }))) noteSent(chat, room.id)
  }
  return { writing, files: { ...chosen, mayAttach }, isEmpty, wait, excess, problems, notice, tell, send, sendRecorded }
}

const NOTHING = { problems: [], notice: null }

/** What is sent a second time, after it was asked about, is meant so. */
function useMeant(): (text: string) => boolean {
  const asked = useRef<string | null>(null)
  return (text) => {
    const isMeant = asked.current === text
    asked.current = isMeant ? null : text
    return isMeant
  }
}

/** Members, those who wrote what is shown, whom completion found, and whom it mentioned before: of large rooms not all members are known. */
function useMentions({ room, items, isModerator, about }: View, text: string): string[] {
  const { chat } = usePresent()
  if (!text.includes('@')) return []
  const members = signalOf(room.members).value.list.map(({ user }) => user)
  if (members.length === 0) return mentionsIn(text, null, isModerator)
  const authors = items.value.flatMap((item) => (item.kind === 'message' ? item.message.from : []))
  const now = about.value
  const before = now?.kind === 'edit' ? (now.rest.mentions ?? []).map((one) => one.slice(1)) : []
  return mentionsIn(text, [...members, ...authors, ...foundBy(chat), ...before], isModerator)
}

/** Why a message was not even taken. */
function refusalText(error: unknown): string {
  const refused = asChatError(error)
  const isTooLong = refused.code === 'bad_request' || refused.code === 'too_large'
  return isTooLong ? texts.value.tooLong : problemText(refused)
}
