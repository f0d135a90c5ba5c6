import type { ChatError } from '../base/chat-error.js'
import type { Change, Key } from '../store/store.js'
import type { SendInput } from './outgoing.js'

/**
 * What the table `outbox` holds: one message on its way, under the id of the client that sends it (one of several tabs) and a number, by which
 * messages are in order.
 */
export interface OutboxRow {
  readonly cid: string
  readonly room: string
  /** Unix ms. */
  readonly since: number
  readonly input: SendInput
  readonly hasLeft?: boolean
  /** It has failed. */
  readonly error?: Pick<ChatError, 'code' | 'message'> & { readonly field?: string }
}

export function putRow({ key, row }: { readonly key: Key; readonly row: OutboxRow }): Change {
  return { put: 'outbox', key, value: row }
}

export function deleteRow({ key }: { readonly key: Key }): Change {
  return { delete: 'outbox', key }
}
