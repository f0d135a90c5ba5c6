/** What is shown, by the address. The paths are those that the broker answers with this app. */
import { batch, signal } from '@preact/signals'
import { directRoom } from '../../../schemas/ids.js'
import { pageAt, WEB_PATHS, type WebPage } from '../../../schemas/web-paths.js'
import type { Panel } from './panel-kinds.js'

export interface Route {
  readonly page: WebPage | null
  /** The parts of the path that are named there. */
  readonly parts: Readonly<Record<string, string>>
}

/** What the history keeps of a step. */
export interface Step {
  /** Who made it; null: nobody was logged in. It says nothing to others. */
  readonly user?: string | null
  /** The app came from one of its own pages, so that «back» may be the browser's. */
  readonly isInside?: boolean
  /** What stands beside the room. */
  readonly panel?: Panel
  /** It was there before this step: «back» does not close it. */
  readonly isCarried?: boolean
  /** What stands beside the room was opened from what stood there before: so many steps lead back to the first of it. */
  readonly over?: number
}

/** How the person came to what is shown. */
interface Visit {
  readonly path: string
  /** By «back» or «forward» of the browser. */
  readonly isReturn: boolean
}

/** There is space for a panel beside the room. */
const WIDE = matchMedia('(width >= 75rem)')

export const route = signal<Route>({ page: 'home', parts: {} })
export const step = signal<Step>({})
/** Without its `#`. A link that is pasted into the same tab may change nothing else. */
export const fragment = signal('')
/** Another one each time that something is asked for, also if it is what is shown; steps of a page are none. */
export const visit = signal<Visit>({ path: '', isReturn: false })

/** Who steps are of. */
let owner: string | null = null

export function startRouting(): void {
  addEventListener('popstate', () => show(true))
  show()
}

/** Steps are of this user from now on; null: of nobody. Who comes after another one does not see what that one saw. */
export function giveSteps(user: string | null): void {
  const isAnother = owner !== null && owner !== user
  owner = user
  // To set a password is anybody's.
  if (isAnother && route.peek().page !== 'reset') history.replaceState(null, '', pathTo('home'))
  show()
}

/** A panel stays where it stands beside what is shown; one that lies over it would hide that. */
export function navigate(path: string, { replace = false } = {}): void {
  visit.value = { path, isReturn: false }
  if (path === location.pathname && (WIDE.matches || !step.peek().panel)) return
  if (replace) history.replaceState(history.state, '', path)
  else {
    const { panel } = step.peek()
    history.pushState(owned({ isInside: true, ...(panel && WIDE.matches ? { panel, isCarried: true } : {}) }), '', path)
  }
  show()
}

/** A step of the page that is shown, or another one in place of the last. */
export function pushStep(made: Step, { replace = false } = {}): void {
  if (replace) history.replaceState(owned({ ...step.peek(), ...made }), '')
  else history.pushState(owned({ ...made, isInside: true }), '')
  show()
}

/** The same step, with something else to come back to; what is shown stays as it is. */
export function turnStep(made: Step): void {
  history.replaceState(owned({ ...history.state, ...made }), '')
}

/** The step that is being left: the browser goes back a moment later, and who presses again until then has not asked for more. */
let left: Step | null = null

function back(steps = 1): void {
  if (left === step.peek()) return
  left = step.peek()
  history.go(-steps)
}

/** Back to before the step, or, where something else was shown then, or nothing, to the page without it. */
export function leaveStep(): void {
  const { isInside = false, isCarried } = step.peek()
  if (isInside && !isCarried) return back()
  history.replaceState(owned({ isInside }), '')
  show()
}

/** Back to before the step, and before those that it was opened from. */
export function leaveSteps(): void {
  const { over = 0 } = step.peek()
  if (over === 0) return leaveStep()
  addEventListener('popstate', leaveStep, { once: true })
  back(over)
}

/** To where the person came from; to `path` if that was outside of the app. */
export function goBack(path: string): void {
  if (step.peek().isInside) back()
  else navigate(path, { replace: true })
}

function owned(made: Step): Step {
  return { ...made, user: owner }
}

function show(isReturn = false): void {
  const made = history.state as Step | null
  batch(() => {
    if (location.pathname !== visit.peek().path) visit.value = { path: location.pathname, isReturn }
    route.value = routeOf(location.pathname)
    step.value = made?.user === owner ? made : {}
    fragment.value = location.hash.slice(1)
  })
}

/** The path of a page. */
export function pathTo(page: WebPage, parts: Readonly<Record<string, string | number>> = {}): string {
  // A colon is readable in a path, and conversations have two.
  return WEB_PATHS[page].replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(parts[name])).replaceAll('%3A', ':').replaceAll('%40', '@'),
  )
}

/** It is that of a room, of a message, or of a conversation. */
export function isRoomPath(path: string): boolean {
  const { page } = routeOf(path)
  return page === 'room' || page === 'message' || page === 'user'
}

export function routeOf(path: string): Route {
  const { page, parts } = pageAt(path) ?? { page: null, parts: {} }
  return { page, parts: decoded(parts) }
}

/** The id of the room that is shown; null: none. */
export function roomOf({ page, parts }: Route, me: string): string | null {
  if (page === 'user' && parts['user'] !== undefined) return directRoom(me, parts['user'])
  return page === 'room' || page === 'message' ? (parts['room'] ?? null) : null
}

function decoded(parts: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, decodeURIComponent(part)]))
  } catch {
    return {}
  }
}
