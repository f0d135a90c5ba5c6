/** Accounts of bots and devices: users without a password, who log in with keys that their owner creates. */
import { Refusal } from '../../../schemas/errors.js'
import type { Accounts, Allow } from '../../auth/accounts.js'
import type { Op } from '../../store/op.js'
import { topicOfOwned } from '../../store/persons.js'
import type { Transaction } from '../../store/transaction.js'
import type { UserRecord } from '../../store/users.js'
import { type Actor, requireCurrent, requireUser } from './actor.js'

/** Deletes an account and all its data. @param allow Checks the right to it */
export type RemoveFunction = (user: string, allow?: Allow) => Promise<unknown>

/**
 * Creates the account together with the record of its owner, who asks for it. A refusal of the name carries the field `bot` or `device`.
 * @param owned Makes the record; checks the number of those that are there
 */
export async function addOwned(
  accounts: Pick<Accounts, 'create'>,
  kind: 'bot' | 'device',
  name: string,
  actor: Actor,
  owned: (tx: Transaction) => Op,
): Promise<UserRecord> {
  const topic = topicOfOwned(requireUser(actor))
  const along = async (tx: Transaction): Promise<Op[]> => {
    tx.topic(topic)
    await requireCurrent(tx.directory, actor)
    return [owned(tx)]
  }
  try {
    return await accounts.create(name, null, [kind], along, topic)
  } catch (error) {
    if (error instanceof Refusal && error.field === 'user')
      throw new Refusal(error.code, error.message, { field: kind, cause: error })
    throw error
  }
}
