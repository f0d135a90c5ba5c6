import { isUserId } from '../../schemas/ids.js'
import { ChatError } from '../base/chat-error.js'
import type { SendInput } from './outgoing.js'

/** `@user`: a conversation. */
export function isPerson(room: string): boolean {
  return room.startsWith('@') && isUserId(room.slice(1))
}

/** What the caller changes later does not count. @throws ChatError `bad_request` */
export function copyOf(input: SendInput): SendInput {
  try {
    return JSON.parse(JSON.stringify(input))
  } catch (cause) {
    throw new ChatError('bad_request', 'a message is JSON', { cause })
  }
}
