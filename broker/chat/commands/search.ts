import type { SEARCH_COMMANDS } from '../../../schemas/commands/search.js'
import { MessageSearch, type MessageSearchParts } from '../history/search.js'
import type { Handlers } from './table.js'

export function searchCommands(parts: MessageSearchParts): Handlers<keyof typeof SEARCH_COMMANDS> {
  const messages = new MessageSearch(parts)
  return { search: (actor, params) => messages.page(actor, params) }
}
