/** What messages may not say. */
import Type from 'typebox'
import { Filter, MAX_FILTERS } from '../moderation.js'
import { command, object } from './parts.js'

const filters = Type.Array(Filter, {
  maxItems: MAX_FILTERS,
  description: 'In the order in which they look at a message; each sees what those before it left.',
})
const Lists = object(
  { filters, configured: Type.Array(Filter, { description: 'Those of the configuration, which come first.' }) },
  { title: 'Filters', description: 'What messages may not say.' },
)

export const FILTER_COMMANDS = {
  'filters.list': command({
    summary: 'The filters that messages are held against. For admins.',
    params: object({}),
    result: Lists,
    rate: 'read',
    http: { method: 'GET', path: '/filters' },
  }),
  'filters.set': command({
    summary:
      'Replaces the filters that are not of the configuration, at once and for all messages to come. For admins.',
    params: object({ filters }),
    result: Lists,
    rate: 'write',
    audit: ['filters'],
    http: { method: 'PUT', path: '/filters' },
  }),
} as const
