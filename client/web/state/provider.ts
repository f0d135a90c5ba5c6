/** Logins at an identity provider: this page sends the browser there, and another visit of it takes the login that comes back. */
import { ChatError } from '../../index.js'
import { takeProviderLogin } from './login.js'
import { pathTo } from './router.js'
import { wanted } from './wanted.js'

/** What the page has to know when the browser comes back. It is the tab's alone. */
interface Pending {
  /** Without it nobody can use the code that is in the address then. */
  readonly verifier: string
  /** What the person wanted to see. */
  readonly path: string
}

const KEY = 'topictalk:provider'

/** Leaves the app. Rejects with a `ChatError` if the server cannot begin it. */
export async function goToProvider(start: string): Promise<void> {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const query = new URLSearchParams({
    challenge: base64url(new Uint8Array(hash)),
    returnTo: location.origin + pathTo('logIn'),
  })
  const address = `${start}?${query}`
  await requireBegun(address)
  const pending: Pending = { verifier, path: wanted() }
  sessionStorage.setItem(KEY, JSON.stringify(pending))
  location.assign(address)
}

/** Whether the address says what came of a login at the provider. */
export function isBackFromProvider(): boolean {
  const { searchParams } = new URL(location.href)
  return location.pathname === pathTo('logIn') && (searchParams.has('code') || searchParams.has('error'))
}

/** Takes the login that the address tells of, once, and resolves with who is logged in, and what they wanted to see. Rejects with a `ChatError`. */
export async function finishAtProvider(): Promise<{ user: string; path: string }> {
  const { searchParams } = new URL(location.href)
  const kept = sessionStorage.getItem(KEY)
  sessionStorage.removeItem(KEY)
  // A reload, and whoever reads the address, has nothing of it.
  history.replaceState(history.state, '', location.pathname)
  const error = searchParams.get('error')
  if (error !== null) throw new ChatError(refusalOf(error), 'the login at the provider did not succeed')
  if (kept === null) throw new ChatError('unauthorized', 'no login was begun in this tab')
  const { verifier, path } = JSON.parse(kept) as Pending
  return { user: await takeProviderLogin({ code: searchParams.get('code') ?? '', verifier }), path }
}

/** A refusal would be a page of its own, without a way back. */
async function requireBegun(address: string): Promise<void> {
  const answer = await fetch(address, { redirect: 'manual' }).catch((cause: unknown) => {
    throw new ChatError('offline', 'the server cannot be reached', { cause })
  })
  if (answer.type !== 'opaqueredirect') throw new ChatError('unavailable', `the login cannot begin: ${answer.status}`)
}

function refusalOf(code: string): 'forbidden' | 'unavailable' | 'rate_limited' | 'unauthorized' {
  return code === 'forbidden' || code === 'unavailable' || code === 'rate_limited' ? code : 'unauthorized'
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
