/** What the user is told whatever room is open. Each returns a function that ends it. */
import type { Chat } from '../node/index.js'
import { printableLine } from './printable.js'
import { invitationText } from './room-commands.js'

/** Of invitations: those that wait, and those that come. */
export function tellInvitations(
  { invitations }: Pick<Chat, 'invitations'>,
  me: string,
  say: (text: string) => void,
): () => void {
  let told = new Set<string>()
  const tell = (): void => {
    const now = new Set<string>()
    for (const one of invitations.current) {
      const text = invitationText(one, me)
      if (!told.has(text)) say(text)
      now.add(text)
    }
    told = now
  }
  tell()
  return invitations.subscribe(tell)
}

/** That nothing is kept any more, such as while another chat has the directory. */
export function tellStorage({ storageError }: Pick<Chat, 'storageError'>, say: (text: string) => void): () => void {
  const tell = (error: Error | null): void => {
    if (error) say(`nothing is kept: ${printableLine(error.message)}`)
  }
  tell(storageError.current)
  return storageError.subscribe(tell)
}
