/** What a chat of lines prints of another place in a room. */
import type { Chat } from '../node/index.js'
import type { Message } from './lines.js'

/** Messages of a thread, or before and after one. */
const SHOWN = 20

/** Those of the thread, the message that began it first; or those around `at`. Rejects with a `ChatError`. */
export async function messagesAt(
  { ask }: Chat,
  room: string,
  { thread = null, at }: { thread: number | null; at?: number | undefined },
): Promise<Message[]> {
  const around = at === undefined ? {} : { around: at }
  const one = { room, view: 'folded', limit: SHOWN } as const
  if (thread === null) return present((await ask.history({ ...one, ...around })).messages)
  const [root, replies] = await Promise.all([
    ask.history({ ...one, seqs: [thread] }),
    ask.history({ ...one, ...(at === thread ? {} : around), thread }),
  ])
  return present([...root.messages, ...replies.messages])
}

function present(messages: readonly (Message | { readonly gone: string })[]): Message[] {
  return messages.flatMap((message) => ('gone' in message ? [] : [message]))
}
