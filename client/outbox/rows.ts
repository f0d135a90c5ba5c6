import type { ChatError } from '../base/chat-error.js'
import type { Change, Key, Row } from '../store/store.js'
import type { FileRow, ItemFile } from './files.js'
import type { SendInput, Sent } from './outgoing.js'

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
  /** The broker has taken it, and it was not seen in its room. */
  readonly sent?: Sent
  /** Those of the device among its attachments. */
  readonly files?: readonly FileRow[]
  /** It has failed. */
  readonly error?: Pick<ChatError, 'code' | 'message'> & { readonly field?: string }
}

export function putRow({ key, row }: { readonly key: Key; readonly row: OutboxRow }): Change {
  return { put: 'outbox', key, value: row }
}

export function deleteRow({ key }: { readonly key: Key }): Change {
  return { delete: 'outbox', key }
}

/** A message with files. */
interface Holder {
  readonly cid: string
  readonly files: readonly ItemFile[]
  readonly areFilesKept: boolean
}

/** The bytes of its files, so that they survive as it does; once. */
export function putFiles({ cid, files, areFilesKept }: Holder): Change[] {
  return areFilesKept ? [] : files.map(({ blob }, at) => ({ put: 'files', key: [cid, at], value: blob }))
}

export function deleteFiles({ cid, files }: Pick<Holder, 'cid' | 'files'>): Change[] {
  return files.length === 0 ? [] : [{ clear: 'files', prefix: [cid] }]
}

/** Whoever wrote last comes first: what is adopted is put in front of what was before. */
export function ownersIn(rows: readonly Row[]): string[] {
  const owners = new Map<string, number>()
  for (const { key, value } of rows) owners.set(key[0] as string, (value as OutboxRow).since)
  return [...owners].sort(([, a], [, b]) => b - a).map(([owner]) => owner)
}
