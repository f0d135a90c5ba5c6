/**
 * The login of a web app on the broker's own origin. The access token is in memory, and gone with the page; the refresh token
 * is in a cookie that no script can read, so that the login outlives a reload and is shared by all windows.
 */

/** @type {{user: string, token: string, expiresAt: number} | null} Null: nobody is logged in. */
let login = null
/** The renewal under way; several requests of this window wait for the same one. */
let renewing = null

/** Ms before its end at which an access token is renewed. */
const EARLY = 60_000

/** Rejects with the problem document if the broker refuses it: who has a second factor is asked for `code`. */
export async function logIn(user, password, code) {
  login = await post('login', { user, password, ...(code && { code }), cookie: true })
  return login.user
}

/** At the start of the page. Resolves with the user; null: nobody is logged in in this browser. */
export async function resume() {
  try {
    await token()
    return login.user
  } catch (problem) {
    if (problem.status === 401) return null
    throw problem
  }
}

/** An access token that is valid for a while: the MQTT password, or the Bearer token of HTTP. */
export async function token() {
  if (login && login.expiresAt - Date.now() > EARLY) return login.token
  renewing ??= post('token', {}).finally(() => {
    renewing = null
  })
  login = await renewing
  return login.token
}

/** In all windows. Their connections are closed, and their next renewal is refused. */
export async function logOut() {
  await post('logout', {}, await token())
  login = null
}

async function post(command, body, bearer) {
  const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) }
  const response = await fetch(`/v1/auth/${command}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const answer = await response.json()
  if (!response.ok) throw answer
  return answer
}
