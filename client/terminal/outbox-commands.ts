/** Commands about what is not sent. */

import type { Commands } from './command.js'
import { type Desk, outgoingText } from './desk.js'

export const OUTBOX_COMMANDS: Commands = {
  retry: { help: 'sends again what was refused', isAnywhere: true, run: retry },
  cancel: { help: 'gives up what was refused, or what waits', isAnywhere: true, run: cancel },
}

function retry(desk: Desk): void {
  const failed = desk.chat.outbox.current.filter(({ state }) => state.current.at === 'failed')
  for (const outgoing of failed) outgoing.retry()
  if (failed.length === 0) desk.say('nothing was refused')
}

async function cancel(desk: Desk): Promise<void> {
  const { outbox } = desk.chat
  const failed = outbox.current.find(({ state }) => state.current.at === 'failed')
  const outgoing = failed ?? outbox.current.at(-1)
  if (!outgoing) return desk.say('nothing waits')
  const text = outgoingText(outgoing)
  desk.say((await outgoing.cancel()) ? `taken back: ${text}` : `it may have left already: ${text}`)
}
