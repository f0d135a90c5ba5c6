/** Accounts of bots and devices: users with no password, known by keys that their owner has. */
import { Refusal } from '../../../schemas/errors.js'
import type { Accounts } from '../../auth/accounts.js'
import type { Op } from '../../store/op.js'

/** Makes one, with what says whose it is. What is wrong with the account is wrong with the bot or device that was asked for. */
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
