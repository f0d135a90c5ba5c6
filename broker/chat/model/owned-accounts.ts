/** Accounts of bots and devices: users without a password, who log in with keys that their owner creates. */
import { Refusal } from '../../../schemas/errors.js'
import type { Accounts } from '../../auth/accounts.js'
import type { Op } from '../../store/op.js'

/** Creates the account together with the record of its owner. A refusal of the name carries the field `bot` or `device`. */
export async function addOwned(
  accounts: Pick<Accounts, 'add'>,
  kind: 'bot' | 'device',
  name: string,
  owned: Op,
): Promise<void> {
  try {
    await accounts.add(name, null, [kind], [owned])
  } catch (error) {
    if (error instanceof Refusal && error.field === 'user')
      throw new Refusal(error.code, error.message, { field: kind, cause: error })
    throw error
  }
}
