/** Accounts and logins. */
import Type from 'typebox'
import { USER_NAMES } from '../ids.js'
import { code, command, NOTHING, object, orNull, password, time, user } from './parts.js'

const secondFactor = Type.Optional({
  ...code,
  description: 'Of who has a second factor: a code of the authenticator app, or a recovery code.',
})

export const Tokens = object(
  {
    user: Type.String({ description: 'Who is logged in.' }),
    token: Type.String({
      description: 'Access token: the MQTT password, or the Bearer token of HTTP. A live login by it ends with it.',
    }),
    expiresAt: time('When the access token ends.'),
    refreshToken: Type.String({ description: 'Gets the next access token from auth.token, once.' }),
  },
  { title: 'Login', description: 'A login.' },
)

export const AUTH_COMMANDS = {
  'auth.register': command({
    summary: 'Makes an account and logs it in, as far as auth.registration lets anyone.',
    params: object({
      user: { ...user, description: `What to be called: ${USER_NAMES}.` },
      password: password('At least 6 bytes.'),
      invite: Type.Optional(
        Type.String({ maxLength: 400, description: 'An invitation, where registration is by invitation.' }),
      ),
    }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/register', status: 201 },
  }),
  'auth.invite': command({
    summary: 'Makes an invitation to register with. For admins.',
    params: object({
      uses: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 10000, default: 1, description: 'How many accounts it makes.' }),
      ),
      expiresIn: Type.Optional(
        Type.Integer({ minimum: 60, maximum: 31536000, default: 604800, description: 'Seconds it is good for.' }),
      ),
    }),
    result: object({
      invite: Type.String({ description: 'To be handed on.' }),
      expiresAt: time('When it ends.'),
    }),
    rate: 'create',
    audit: ['uses', 'expiresIn'],
    http: { method: 'POST', path: '/auth/invites', status: 201 },
  }),
  'auth.login': command({
    summary:
      'Logs in with user name and password. Who has a second factor is asked for `code` once the password was right.',
    params: object({ user, password: password('Of the account.'), code: secondFactor }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/login' },
  }),
  'auth.token': command({
    summary:
      'A new access token and a new refresh token for a refresh token. Shown again, as by two windows at once, that is good for the moment of auth.refreshGrace; an older one ends the login.',
    params: object({
      refreshToken: Type.String({
        minLength: 1,
        maxLength: 400,
        description: 'The last one that this client was answered.',
      }),
    }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/token' },
  }),
  'auth.refresh': command({
    summary: 'Renews the login of the connection that asks, with another token of the same user.',
    params: object({ token: Type.String({ minLength: 1, description: 'A JWT.' }) }),
    result: object({
      expiresAt: orNull(time('When the login ends; null: never by itself.')),
      roles: Type.Array(Type.String()),
    }),
    rate: 'login',
    http: null,
  }),
  'auth.logout': command({
    summary:
      'Ends the login that asks: its tokens, and the sessions that used them with all they hold. A login by password is its one session.',
    params: object({}),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/auth/logout' },
  }),
  'auth.logoutEverywhere': command({
    summary: 'Voids every token the asker was given so far, and ends all sessions with all they hold. API keys stay.',
    params: object({}),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/auth/logout-everywhere' },
  }),
  'auth.password': command({
    summary: 'Changes the asker’s password. Every other session and all tokens so far end; the result is a new login.',
    params: object({ old: password('The password of now.'), new: password('At least 6 bytes.'), code: secondFactor }),
    result: Tokens,
    rate: 'login',
    http: { method: 'POST', path: '/auth/password' },
  }),
} as const
