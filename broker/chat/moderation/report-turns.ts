/** Who acts on a report: one moderator at a time, whichever node serves them. A turn is a record that ends by itself if its node fails. */
import { Refusal } from '../../../schemas/errors.js'
import type { Op } from '../../store/op.js'
import type { RecordReader } from '../../store/transaction.js'

/** Milliseconds after which another may act. */
const LONGEST = 60_000

type Records = Pick<RecordReader, 'expiring'>

/** @throws Refusal `conflict` while another turn is not over. */
export async function takeTurn({ expiring }: Records, report: string, turn: string): Promise<Op> {
  const now = Date.now()
  if (await expiring.get('reportTurn', report, now))
    throw new Refusal('conflict', 'another moderator is acting on it; try again', { field: 'report' })
  return expiring.putOp('reportTurn', report, { turn, until: now + LONGEST })
}

/** Nothing if it is over, and another may have the turn. */
export async function endTurn({ expiring }: Records, report: string, turn: string): Promise<Op[]> {
  const taken = await expiring.get('reportTurn', report, Date.now())
  return taken?.turn === turn ? [expiring.deleteOp('reportTurn', report)] : []
}
