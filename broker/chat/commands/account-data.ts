import type { ACCOUNT_DATA_COMMANDS } from '../../../schemas/commands/account-data.js'
import { Refusal } from '../../../schemas/errors.js'
import { requireSameAccount } from '../../auth/account-version.js'
import type { AccountDataRecord } from '../../store/account-data.js'
import type { Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { stringify } from '../model/message.js'
import type { Handlers } from './table.js'

/** Of one user: values, bytes of one, and bytes of all with their names. */
export interface AccountDataLimits {
  readonly accountDataValues: number
  readonly accountDataValueBytes: number
  readonly accountDataBytes: number
}

export function accountDataCommands(
  store: Store,
  limits: AccountDataLimits,
): Handlers<keyof typeof ACCOUNT_DATA_COMMANDS> {
  const { accountData } = store.directory
  return {
    'account.data.get': async (actor, { name }) => {
      const record = await accountData.get(requireUser(actor), name)
      if (!record) throw new Refusal('not_found', `there is no value of the name ${name}`, { field: 'name' })
      return JSON.stringify(record)
    },
    'account.data.set': async (actor, { name, value, ifVersion }) => {
      const bytes = Buffer.byteLength(stringify(value))
      if (bytes > limits.accountDataValueBytes)
        throw new Refusal(
          'too_large',
          `the value has ${bytes} bytes; at most ${limits.accountDataValueBytes} (limits.accountDataValueBytes)`,
          { field: 'value' },
        )
      const { version, updatedAt } = await change(store, actor, name, ifVersion, value, limits)
      return JSON.stringify({ name, version, updatedAt })
    },
    'account.data.delete': async (actor, { name, ifVersion }) => {
      await change(store, actor, name, ifVersion, undefined, limits)
      return '{}'
    },
    'account.data.list': async (actor, { values = true, after = '', limit = 100 }) => {
      const found = await accountData.list(requireUser(actor), after, limit + 1)
      const entries = found.slice(0, limit).map(({ value, ...present }) => (values ? { ...present, value } : present))
      return JSON.stringify({ entries, more: found.length > limit })
    },
  }
}

/** Sets a value, or removes it with `undefined`, if its version is as wanted. @throws Refusal */
async function change(
  store: Store,
  actor: Actor,
  name: string,
  ifVersion: number | undefined,
  value: unknown,
  limits: AccountDataLimits,
): Promise<AccountDataRecord> {
  const user = requireUser(actor)
  const { value: changed } = await store.transact(`account data ${user}`, async (tx) => {
    await requireSameAccount(tx.directory, actor.principal)
    const before = await tx.directory.accountData.get(user, name)
    if (ifVersion !== undefined && ifVersion !== (before?.version ?? 0))
      throw new Refusal(
        'conflict',
        `the version of ${name} is ${before?.version ?? 0}, not ${ifVersion}; get it first`,
        {
          field: 'ifVersion',
        },
      )
    return decide(tx, user, { name, value, version: 0, updatedAt: Date.now() }, before, limits)
  })
  return changed
}

async function decide(
  { directory: { accountData } }: Transaction,
  user: string,
  wanted: AccountDataRecord,
  before: AccountDataRecord | null,
  limits: AccountDataLimits,
): Promise<Decision<AccountDataRecord>> {
  const { name, value } = wanted
  const isSet = value !== undefined
  if (!isSet && !before) return { value: wanted }
  const known = await accountData.total(user)
  const record = { ...wanted, version: known.version + 1 }
  const total = {
    version: record.version,
    count: known.count + (isSet ? 1 : 0) - (before ? 1 : 0),
    bytes: known.bytes + (isSet ? bytesOf(record) : 0) - (before ? bytesOf(before) : 0),
  }
  if (isSet && total.count > Math.max(known.count, limits.accountDataValues))
    throw new Refusal('conflict', `there are ${known.count} values; remove one first (limits.accountDataValues)`)
  if (isSet && total.bytes > Math.max(known.bytes, limits.accountDataBytes))
    throw new Refusal('conflict', `all values have at most ${limits.accountDataBytes} bytes (limits.accountDataBytes)`)
  const ops: Op[] = [isSet ? accountData.putOp(user, record) : accountData.deleteOp(user, name)]
  const drafts = [userEvent(user, { type: 'accountData', name, version: isSet ? record.version : null })]
  return { drafts, ops: [...ops, accountData.totalOp(user, total)], value: record }
}

function bytesOf({ name, value }: AccountDataRecord): number {
  return Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(value))
}
