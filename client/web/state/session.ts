/** Who is logged in in this page, and their client of the broker. */
import { batch, signal } from '@preact/signals'
import { type Chat, createChat, type Drafts, draftsOf, fileTransfers, people, type SignOutReason } from '../../index.js'
import { forgetAbout } from './about.js'
import { brokerUrl } from './brand.js'
import { accessToken, finishLogOut, forget, isKept, leaving, logOut, removeAccount } from './login.js'
import { beginAnew } from './of-user.js'
import { giveSteps } from './router.js'
import { onSaved, save, saved } from './saved.js'

export type Session =
  /** `why`: what ended the last one; null: there was none, or the person ended it. */
  | { readonly state: 'out'; readonly why: SignOutReason | 'deleted' | null }
  | { readonly state: 'in'; readonly user: string; readonly chat: Chat; readonly drafts: Drafts }

type LoggedIn = Extract<Session, { state: 'in' }>

export const session = signal<Session>({ state: 'out', why: null })

/** Who was here before a reload comes back, if the login outlives the page; else other tabs have logins of their own. */
export function startSession(): void {
  if (!isKept) return
  // Who has logged out does not come back, also where the broker does not know of it yet.
  const gone = leaving()
  if (gone !== null) forgetUser(gone)
  void finishLogOut()
  addEventListener('online', () => void finishLogOut())
  const user = saved('user')
  if (user !== null) enter(user)
  // Another tab has logged in, or out.
  onSaved('user', (now) => {
    const present = session.value
    if (now !== null) enter(now)
    else if (present.state === 'in') void leave(present, null)
  })
}

/** What is kept of this user is shown at once; the connection follows. Another one who is in leaves. */
export function enter(user: string): void {
  const before = session.value
  if (before.state === 'in') {
    if (before.user === user) return
    void leave(before, null)
  }
  const auth = { getToken: ({ why }: { why: string }) => accessToken(user, why === 'start') }
  const chat = createChat({
    url: brokerUrl,
    auth,
    device: 'web',
    store: 'auto',
    user,
    people: people(),
    files: fileTransfers(),
  })
  if (isKept) save('user', user)
  batch(() => {
    session.value = { state: 'in', user, chat, drafts: draftsOf(chat) }
    beginAnew()
    giveSteps(user)
  })
  chat.status.subscribe((status) => {
    const present = session.value
    if (status.state !== 'signedOut' || present.state === 'out' || present.chat !== chat) return
    // Who is not logged in any more sees nothing of what is kept, not even until that is noticed again.
    forgetUser(user)
    void leave(present, status.why)
  })
  // The status says what becomes of it.
  chat.connect().catch(() => {})
}

/** Logs out, also without a connection: nothing of the user stays on the device, whatever was not sent. */
export async function exit(): Promise<void> {
  const present = session.value
  if (present.state === 'in') await leaveNothing(present, null)
}

/** Ends all logins of the user, and all that this browser has of them. Rejects with a `ChatError` if the broker does not. */
export async function exitEverywhere(): Promise<void> {
  const present = session.value
  if (present.state === 'out') return
  await present.chat.ask.auth.logoutEverywhere({})
  await leaveNothing(present, null)
}

/** Removes the account for good, and all that this browser has of it. Rejects with a `ChatError` if the broker does not. */
export async function deleteAccount(input: { password?: string; code?: string }): Promise<void> {
  const present = session.value
  if (present.state === 'out') return
  await removeAccount({ user: present.user, ...input })
  await leaveNothing(present, 'deleted')
}

async function leaveNothing({ user, chat, drafts }: LoggedIn, why: 'deleted' | null): Promise<void> {
  showNobody(why)
  // Before other tabs hear of it: one that is loaded now does not come back.
  const done = logOut(user, chat)
  forgetUser(user)
  await Promise.all([done, drafts.dispose()])
}

async function leave({ chat, drafts }: LoggedIn, why: SignOutReason | null): Promise<void> {
  showNobody(why)
  forget()
  await drafts.dispose()
  await chat.close()
}

/** That nobody is in. Nothing of what was shown is left; only whose login ended by itself finds the address again. */
function showNobody(why: SignOutReason | 'deleted' | null): void {
  batch(() => {
    session.value = { state: 'out', why }
    beginAnew()
    forgetAbout()
    if (why === null || why === 'deleted') giveSteps(null)
  })
}

/** After a reload they are not here any more, and not in other tabs, in which somebody else may be by now. */
function forgetUser(user: string): void {
  if (isKept && saved('user') === user) save('user', null)
}
