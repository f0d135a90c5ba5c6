/** Counts the files that messages of a room refer to, in the decision that writes or forgets it. */
import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import { uuid7 } from '../../util/uuid7.js'
import type { FinishedFile } from './file-access.js'

type Records = Pick<DirectoryStore, 'files'>

/**
 * From now on a message of the room refers to them. A file counts once, however many messages do.
 * @param most Bytes, for all files of a room; 0: no limit
 * @throws Refusal `too_large` if it is one too many
 */
export async function countOps(
  { files: records }: Records,
  room: string,
  files: readonly FinishedFile[],
  most: number,
): Promise<Op[]> {
  const before = (await records.roomTotals(room)) ?? { id: uuid7(), files: 0, bytes: 0 }
  const ops: Op[] = []
  let totals = before
  for (const { id, size } of files) {
    const counted = await records.countedIn(id, room)
    const isNew = counted?.totals !== before.id
    if (isNew) totals = { ...totals, files: totals.files + 1, bytes: totals.bytes + size }
    // Written anew in any case: who is about to forget it has to look again.
    ops.push(records.roomOp(id, room, isNew ? { totals: before.id, bytes: size } : counted))
  }
  if (totals === before) return ops
  if (most > 0 && totals.bytes > most)
    throw new Refusal('too_large', `the files of the room have ${before.bytes} of ${most} bytes (media.roomBytes)`, {
      field: 'attachments',
    })
  return [...ops, records.roomTotalsOp(room, totals)]
}

/** No message of the room refers to the file any more. */
export async function forgetOps({ files: records }: Records, room: string, id: string): Promise<Op[]> {
  const forget = records.deleteRoomOp(id, room)
  const [counted, totals] = [await records.countedIn(id, room), await records.roomTotals(room)]
  if (!totals || counted?.totals !== totals.id) return [forget]
  const left = { ...totals, files: totals.files - 1, bytes: totals.bytes - counted.bytes }
  return [forget, records.roomTotalsOp(room, left.files === 0 ? null : left)]
}
