/** Accounts and logins. */
import Type from 'typebox'
import { USER_NAMES } from '../ids.js'
import { code, command, NOTHING, object, orNull, password, time, user } from './parts.js'

const secondFactor = Type.Optional({
  ...code,
  description: 'If the account has a second factor: a code of the authenticator app, or a recovery code.',
})

export const Tokens = object(
  {
    user: Type.String({ description: 'The user who is logged in.' }),
    token: Type.String({
      description:
        'Access token: the MQTT password, or the Bearer token of HTTP. A live login ends when its token expires.',
    }),
    expiresAt: time('When the access token expires.'),
    refreshToken: Type.Optional(
      Type.String({
        description:
          'Exchanged for the next access token with auth.token, once. With `cookie` it is in the cookie only.',
      }),
    ),
  },
  { title: 'Login', description: 'A login.' },
)

/** Of commands whose result is a login. */
export const cookie = Type.Optional(
  Type.Boolean({
    description:
      'Over HTTP, for pages of the broker’s own origin: true puts the refresh token into an HttpOnly cookie, for auth.token.',
  }),
)

export const AUTH_COMMANDS = {
  'auth.register': command({
    summary: 'Creates an account and logs it in, as far as auth.registration allows.',
    params: object({
      user: { ...user, description: `The user id: ${USER_NAMES}.` },
      password: password('At least 6 bytes.'),
      invite: Type.Optional(
        Type.String({ maxLength: 400, description: 'An invitation, if registration is by invitation.' }),
      ),
      cookie,
    }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/register', status: 201, cookie: 'sets' },
  }),
  'auth.invite': command({
    summary: 'Creates an invitation to register. For admins.',
    params: object({
      uses: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10000,
          default: 1,
          description: 'How many accounts can be created with it.',
        }),
      ),
      expiresIn: Type.Optional(
        Type.Integer({ minimum: 60, maximum: 31536000, default: 604800, description: 'Seconds it is valid.' }),
      ),
    }),
    result: object({
      invite: Type.String({ description: 'The invitation, to be passed on.' }),
      expiresAt: time('When it ends.'),
    }),
    rate: 'create',
    audit: ['uses', 'expiresIn'],
    http: { method: 'POST', path: '/auth/invites', status: 201 },
  }),
  'auth.login': command({
    summary:
      'Logs in with user name and password. Who has a second factor is asked for `code` once the password was right.',
    params: object({ user, password: password('Of the account.'), code: secondFactor, cookie }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/login', cookie: 'sets' },
  }),
  'auth.token': command({
    summary:
      'Exchanges a refresh token for a new access token and a new refresh token. A used refresh token is accepted again within auth.refreshGrace, as by windows that refresh at once; an older one ends the login.',
    params: object({
      refreshToken: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 400,
          description: 'The last one this client received. Over HTTP it may be left out, where a cookie has it.',
        }),
      ),
      cookie,
    }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/token', cookie: 'renews' },
  }),
  'auth.refresh': command({
    summary: 'Renews the login of the calling connection, with another token of the same user.',
    params: object({ token: Type.String({ minLength: 1, description: 'A JWT.' }) }),
    result: object({
      expiresAt: orNull(time('When the login ends; null: it does not expire.')),
      roles: Type.Array(Type.String()),
    }),
    rate: 'login',
    http: null,
  }),
  'auth.logout': command({
    summary:
      'Ends the login of the caller: its tokens, the sessions that used them, and their queues. A login by password is its one session.',
    params: object({}),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/auth/logout', cookie: 'clears' },
  }),
  'auth.logoutEverywhere': command({
    summary: 'Voids all tokens of the caller issued so far, and ends all sessions with their queues. API keys stay.',
    params: object({}),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/auth/logout-everywhere', cookie: 'clears' },
  }),
  'auth.password': command({
    summary:
      'Changes the caller’s password. All other sessions and all tokens issued so far end; the result is a new login.',
    params: object({
      old: password('The current password.'),
      new: password('At least 6 bytes.'),
      code: secondFactor,
      cookie,
    }),
    result: Tokens,
    rate: 'login',
    http: { method: 'POST', path: '/auth/password', cookie: 'sets' },
  }),
} as const
