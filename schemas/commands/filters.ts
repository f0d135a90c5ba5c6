/** Content filters. */
import Type from 'typebox'
import { Filter, MAX_FILTERS } from '../moderation.js'
import { command, object } from './parts.js'

const filters = Type.Array(Filter, {
  maxItems: MAX_FILTERS,
  description: 'In the order in which they are applied; each gets the text that the previous ones left.',
})
const Lists = object(
  { filters, configured: Type.Array(Filter, { description: 'Those of the configuration, which are applied first.' }) },
  { title: 'Filters', description: 'What messages may not say.' },
)

export const FILTER_COMMANDS = {
  'filters.list': command({
    summary: 'The filters for messages. For admins.',
    params: object({}),
    result: Lists,
    rate: 'read',
    http: { method: 'GET', path: '/filters' },
  }),
  'filters.set': command({
    summary: 'Replaces the filters that are not in the configuration, for all messages from now on. For admins.',
    params: object({ filters }),
    result: Lists,
    rate: 'write',
    audit: ['filters'],
    http: { method: 'PUT', path: '/filters' },
  }),
} as const
