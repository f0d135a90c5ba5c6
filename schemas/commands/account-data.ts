/** Data of an application that only the user sees: theme, drafts, recent emoji. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, time } from './parts.js'

const name = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:@|~-]{0,299}$',
  description: 'Chosen by the application, such as theme or draft.tea.',
})
const version = (description: string) => Type.Integer({ minimum: 1, description })
const ifVersion = Type.Optional(
  Type.Integer({
    minimum: 0,
    description:
      'Only if this is the present version (0: if there is no value), else conflict: then get it, and decide again.',
  }),
)
const value = Type.Unknown({ description: 'Any JSON.' })
const present = {
  name,
  version: version('Rises with each change of the caller’s data; none is used twice.'),
  updatedAt: time('When it was set.'),
}
const Entry = object({ ...present, value }, { title: 'AccountData', description: 'A value, as it is now.' })

export const ACCOUNT_DATA_COMMANDS = {
  'account.data.get': command({
    summary: 'A private value of the caller.',
    params: object({ name }),
    result: Entry,
    rate: 'read',
    http: { method: 'GET', path: '/account/data/{name}' },
  }),
  'account.data.set': command({
    summary: 'Sets a private value of the caller, and tells the caller’s devices. Only the caller can read it.',
    params: object({ name, value, ifVersion }),
    result: object(present),
    rate: 'write',
    http: { method: 'PUT', path: '/account/data/{name}' },
  }),
  'account.data.delete': command({
    summary: 'Removes a private value of the caller. If there is none, nothing happens.',
    params: object({ name, ifVersion }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/account/data/{name}' },
  }),
  'account.data.list': command({
    summary: 'The private values of the caller, by name.',
    params: object({
      values: Type.Optional(Type.Boolean({ default: true, description: 'False: names and versions only.' })),
      after: Type.Optional(Type.String({ maxLength: 300, description: 'The last name of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      entries: Type.Array(object({ ...present, value: Type.Optional(value) })),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/account/data', page: { items: 'entries', key: 'name' } },
  }),
} as const
