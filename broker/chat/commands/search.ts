import type { SEARCH_COMMANDS } from '../../../schemas/commands/search.js'
import { MessageSearch, type MessageSearchDeps } from '../history/search.js'
import type { Handlers } from './table.js'

export function searchCommands(deps: MessageSearchDeps): Handlers<keyof typeof SEARCH_COMMANDS> {
  const messages = new MessageSearch(deps)
  return { search: (actor, params) => messages.page(actor, params) }
}
