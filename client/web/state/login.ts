/**
 * The login of this browser: the access token in memory, the refresh token in a cookie that no script reads. Where the connection is no secure one
 * the browser keeps no such cookie: then both are in memory, and a reload ends the login.
 */
import { type Chat, ChatError, createChat, httpCalls, methods } from '../../index.js'
import { brokerUrl } from './brand.js'
import { save, saved } from './saved.js'

interface Login {
  readonly user: string
  readonly token: string
  /** Unix ms. */
  readonly expiresAt: number
  readonly refreshToken?: string
}

export interface LogInInput {
  readonly user: string
  readonly password: string
  readonly code?: string
}

/** Ms before its end at which a token is not given out any more. */
const EARLY = 60_000

let login: Login | null = null
/** The renewal under way, which all wait for. */
let renewing: Promise<Login> | null = null
/** Counts logins that were forgotten: what is answered to one of them is nobody's any more. */
let forgotten = 0

const url = location.origin
/** Whether the login outlives the page. */
export const isKept = isSecureContext
/** Requests that need no login. */
export const open = methods(httpCalls({ url }))

/** Rejects with a `ChatError`: `unauthorized` with the field `code` if a second factor is needed. */
export async function logIn({ user, password, code }: LogInInput): Promise<string> {
  return begin(() => open.auth.login({ user, password, ...(code ? { code } : {}), cookie: isKept }))
}

/** Rejects with a `ChatError`. */
export async function register(input: { user: string; password: string; invite?: string }): Promise<string> {
  return begin(() => open.auth.register({ ...input, cookie: isKept }))
}

/** With what the address of this page had when the browser came back from an identity provider. Rejects with a `ChatError`. */
export async function takeProviderLogin(input: { code: string; verifier: string }): Promise<string> {
  return begin(() => open.auth.oidc({ ...input, cookie: isKept }))
}

/** Sets a new password, by a token that an administrator has given. Who is logged in anywhere is not any more. Rejects with a `ChatError`. */
export async function resetPassword(input: { token: string; password: string }): Promise<void> {
  await open.auth.resetPassword(input)
}

/** Sets a new password: all other logins end. Rejects with a `ChatError`. */
export async function changePassword(
  user: string,
  { ask }: Pick<Chat, 'ask'>,
  input: { readonly old: string; readonly new: string; readonly code?: string },
): Promise<void> {
  // Waits for a connection, as requests over HTTP do not.
  await ask.server.info({})
  // Other tabs, whose login ends, too, wait for the one that follows it.
  await withCookie('exclusive', async () => {
    const before = forgotten
    // Not by the connection: if it ends meanwhile there is no token for another one, as long as the cookie is locked.
    const auth = isKept ? callsAs(ofUser(user, await open.auth.token({}))).auth : ask.auth
    const next = await auth.password({ ...input, ...(isKept && { cookie: true }) })
    if (before === forgotten) took(next)
  })
}

/** Removes the account for good. Rejects with a `ChatError`. */
export async function removeAccount(input: { user: string; password?: string; code?: string }): Promise<void> {
  const token = await accessToken(input.user)
  // Not by the connection, which ends with the account.
  await callsAs({ token }).account.delete(input)
}

/** A token of this user that is valid for a while. Rejects with a `ChatError` `unauthorized` if they have to log in again. */
export async function accessToken(user: string, mayBeKnown = true): Promise<string> {
  if (mayBeKnown && login?.user === user && login.expiresAt - Date.now() > EARLY) return login.token
  const before = forgotten
  renewing ??= renew(login).finally(() => {
    if (before === forgotten) renewing = null
  })
  const next = await renewing
  if (before !== forgotten) throw new ChatError('aborted', 'the login was forgotten meanwhile')
  return took(ofUser(user, next), 'token')
}

/** The cookie is that of all tabs: in one of them somebody else may have logged in. */
function ofUser(user: string, given: Login): Login {
  if (given.user !== user) throw new ChatError('unauthorized', 'somebody else is logged in in this browser')
  return given
}

function callsAs({ token }: Pick<Login, 'token'>) {
  return methods(httpCalls({ url, token: () => token }))
}

/**
 * Ends the login in all windows of this browser, and deletes what `chat`, the client of the user, keeps there. What cannot be done now, as without a
 * network, is done by `finishLogOut`: only the broker can take the cookie away. Never rejects.
 */
export function logOut(user: string, chat: Pick<Chat, 'forget'>): Promise<void> {
  const known = login
  forget()
  if (isKept) save('logout', user)
  return alone(() => end(user, chat, known))
}

/** Who has logged out in this browser, and it is not done yet; null: nobody. */
export function leaving(): string | null {
  return isKept ? saved('logout') : null
}

/** Carries out what is left of it. Never rejects. */
export function finishLogOut(): Promise<void> {
  return alone(finish)
}

async function finish(): Promise<void> {
  const user = leaving()
  if (user === null) return
  const auth = { getToken: () => accessToken(user) }
  await end(user, createChat({ url: brokerUrl, auth, store: 'auto', user }), null)
}

/** The mark stays until all of it is done. */
async function end(user: string, chat: Pick<Chat, 'forget'>, known: Login | null): Promise<void> {
  const parts = await Promise.allSettled([chat.forget(), endLogin(user, known)])
  if (isKept && parts.every(({ status }) => status === 'fulfilled')) save('logout', null)
}

async function endLogin(user: string, known: Login | null): Promise<void> {
  try {
    // The token that is known may have ended, as while the machine slept.
    const left = await renew(known)
    if (left.user === user) await callsAs(left).auth.logout({})
  } catch (error) {
    // Nobody is logged in any more.
    if (error instanceof ChatError && error.code === 'unauthorized') return
    throw error
  }
}

/** What is left of the last login ends first: else it would end this one. */
function begin(ask: () => Promise<Login>): Promise<string> {
  return alone(async () => {
    await finish()
    const user = took(await ask())
    // What is there of them is theirs again. What could not be removed of somebody else still has to be.
    if (leaving() === user) save('logout', null)
    return user
  })
}

/** One tab at a time, as they share the cookie. */
async function alone<T>(act: () => Promise<T>): Promise<T> {
  return isKept ? navigator.locks.request('topictalk-login', act) : act()
}

/** Who renews the login does not meet who replaces it. */
async function withCookie<T>(mode: LockMode, act: () => Promise<T>): Promise<T> {
  return isKept ? navigator.locks.request('topictalk-cookie', { mode }, act) : act()
}

/** Nothing of the login is left in this page; in others, and at the broker, it is as it was. */
export function forget(): void {
  login = null
  renewing = null
  forgotten++
}

async function renew(known: Login | null): Promise<Login> {
  if (isKept) return withCookie('shared', () => open.auth.token({}))
  if (known?.refreshToken === undefined) throw new ChatError('unauthorized', 'nobody is logged in')
  return open.auth.token({ refreshToken: known.refreshToken })
}

function took(given: Login, what: 'user' | 'token' = 'user'): string {
  login = given
  return given[what]
}
