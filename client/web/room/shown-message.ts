import type { Item } from '../../index.js'

/** A message that can be read, in the room or on its way. */
export type ShownMessage = Extract<Item, { kind: 'message' }>

/** What a change of it names: its number, or its `cid` as long as it has none. */
export function targetOf({ message, outgoing }: ShownMessage): number | string {
  return message.seq || outgoing!.cid
}
