/** Building blocks of the table of commands. */
import Type, { type TObject, type TProperties, type TSchema } from 'typebox'
import { ROOM_ROLES } from '../permissions.js'

/**
 * The rate limit of a command, by its cost: `read` looks something up, `write` changes something small, `create` makes
 * something that stays, `login` checks credentials.
 */
export type RateClass = 'read' | 'write' | 'create' | 'login'

export interface HttpRoute {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/v1`; `{name}` stands for the parameter of that name. */
  path: string
  /** Status of success if not 200. */
  status?: 201
  /** Location of the created resource below `/v1`; `{name}` stands for that key of the result. */
  location?: string
  /** The result is one page of a list. */
  page?: HttpPage
  /**
   * The cookie of a login (parameter `cookie`): `sets`, with the refresh token of the result; `renews`, where it stands for
   * the parameter `refreshToken` too; `clears`.
   */
  cookie?: 'sets' | 'renews' | 'clears'
}

/** The next page begins `after` the last entry, or with `back`, and without `after`, ends `before` the first. */
export interface HttpPage {
  /** Key of the result that holds the entries. */
  items: string
  /** Key of an entry that `after` and `before` take; left out where the result has a `cursor` to go on with. */
  key?: string
  back?: true
  /** Parameters that say where the first page is; the next one is requested without them. */
  start?: readonly string[]
}

/** A command: a request on `users/{me}/requests/{name}`, and an HTTP route. */
export interface Command<P extends TObject = TObject, R extends TSchema = TSchema> {
  /** One sentence: what it does, and who may call it. */
  summary: string
  params: P
  result: R
  rate: RateClass
  /** Needs no login: HTTP requires no Authorization. */
  open?: true
  /**
   * An administrative act, which is written to the audit log with the room and user it names and the parameters listed
   * here. Never list secrets.
   */
  audit?: true | readonly string[]
  /** The key of the result that names the user whom an audited act is about, where no parameter does. */
  auditedUser?: string
  /** Deprecated parameter names, with the current ones: both are accepted. */
  deprecated?: Readonly<Record<string, string>>
  /** Null: it concerns the calling connection, which HTTP does not have. */
  http: HttpRoute | null
}

/** Adds the deprecated names to `params`, so that every document shows them; handlers only see the current ones. */
export const command = <P extends TObject, R extends TSchema>(definition: Command<P, R>): Command<P, R> => {
  const { params, deprecated } = definition
  if (!deprecated) return definition
  const old = Object.entries(deprecated).map(([name, now]) => [name, Type.Optional(was(now, params.properties[now]!))])
  return { ...definition, params: object({ ...params.properties, ...Object.fromEntries(old) }) as TObject as P }
}

/** A deprecated field, now called `now`. */
export const was = <S extends TSchema>(now: string, schema: S): S => ({
  ...schema,
  deprecated: true,
  description: `Deprecated: use ${now}.`,
})

/** An object with these properties and no others. One with a `title` is referenced by that name in the documents. */
export const object = <P extends TProperties>(properties: P, options: { title?: string; description?: string } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })

export const NOTHING = object({}, { description: 'Empty.' })

export const room = Type.String({
  minLength: 1,
  maxLength: 300,
  description: 'A room id, dm:{a}:{b}, or @user for the direct conversation with that user.',
})
export const user = Type.String({ minLength: 1, maxLength: 128, description: 'A user id.' })
export const password = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description })
export const code = Type.String({
  minLength: 6,
  maxLength: 64,
  description: 'A code of the authenticator app, or a recovery code.',
})
/** As documents show one. */
export const MESSAGE_EXAMPLE = {
  id: '019b7701-9c00-7000-8000-000000000001',
  room: 'tea',
  seq: 42,
  ts: 1_767_225_600_000,
  from: 'bob',
  type: 'text',
  text: 'hello',
}
export const seq = (description: string) => Type.Integer({ minimum: 1, description })
export const time = (description: string) => Type.Integer({ description: `${description} Unix ms.` })
export const orNull = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])
export const role = Type.Enum([...ROOM_ROLES], { description: 'What the member may do.' })
export const link = Type.String({ minLength: 1, maxLength: 64, description: 'A link into the room.' })
export const more = Type.Boolean({ description: 'Whether there is another page.' })
export const limit = (fallback: number, maximum: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: fallback, description: 'Maximum number of entries.' }))

/** What large rooms are not told of every member. */
export type Thinned = 'presence' | 'typing' | 'receipts'
export const thinned = Type.Array(Type.Enum(['presence', 'typing', 'receipts']), {
  description:
    'What is thinned because the room is large: presence (none), typing (a number), receipts (counts, on request). Empty in smaller rooms.',
})

/** Of a list of users of a room. */
export const userPage = {
  room,
  after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the previous page.' })),
  limit: limit(100, 1000),
}
