import type { FILTER_COMMANDS } from '../../../schemas/commands/filters.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Filter } from '../../../schemas/moderation.js'
import { commit } from '../../store/commit.js'
import type { Store } from '../../store/store.js'
import { requireAdmin } from '../model/actor.js'
import { filterFaults } from '../moderation/filters/compile.js'
import type { Handlers } from './table.js'

export function filterCommands(
  store: Pick<Store, 'commit' | 'moderation'>,
  configured: readonly Filter[],
): Handlers<keyof typeof FILTER_COMMANDS> {
  const lists = (): string => JSON.stringify({ filters: store.moderation.filters, configured })
  return {
    'filters.list': async (actor) => {
      requireAdmin(actor, 'filters are shown to admins')
      return lists()
    },
    'filters.set': async (actor, { filters }) => {
      requireAdmin(actor, 'filters are set by admins')
      const [fault] = filterFaults(filters)
      if (fault) throw new Refusal('bad_request', fault.message, { field: ['filters', ...fault.path].join('.') })
      await commit(store, { ops: [store.moderation.filtersOp(filters)] })
      return lists()
    },
  }
}
