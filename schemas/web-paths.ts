/**
 * Paths that people open in a browser. The broker answers each of these pages with the web app, and the app shows what the path names: a
 * page is added here, and both know it.
 */
export const WEB_PATHS = {
  home: '/',
  logIn: '/login',
  /** The fragment is an invitation, if the person has one: it is in no log. */
  register: '/register',
  /** The fragment is a token of `auth.reset`. */
  reset: '/reset',
  room: '/r/:room',
  /** One message of a room, by its seq. */
  message: '/r/:room/:seq',
  /** The conversation with a user. */
  user: '/u/:user',
  /** The devices of the user, and those that others share. */
  devices: '/devices',
  device: '/d/:device',
  /** The fragment is a link into the room. */
  join: '/join/:room',
  settings: '/settings',
  settingsPart: '/settings/:part',
} as const

export type WebPage = keyof typeof WEB_PATHS

/** Below it are the files of the app; each has the hash of its content in its name. */
export const WEB_ASSETS = '/assets'

/** The picture of the server (`server.logo`). */
export const LOGO_PATH = '/logo'

const PATTERNS = Object.entries(WEB_PATHS).map(
  ([page, path]) => [page as WebPage, new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`)] as const,
)

/** The page at a path, with its named parts as they stand in the path; null: none. */
export function pageAt(
  path: string,
): { readonly page: WebPage; readonly parts: Readonly<Record<string, string>> } | null {
  for (const [page, pattern] of PATTERNS) {
    const match = pattern.exec(path)
    if (match) return { page, parts: match.groups ?? {} }
  }
  return null
}

/** By which systems install the app. */
export const MANIFEST_PATH = '/manifest.webmanifest'

/** The service worker. Its address stays, so that browsers find what has taken its place. */
export const WORKER_PATH = '/sw.js'

/** How the names of its caches begin: other pages of the same origin have theirs. */
export const WORKER_CACHES = 'topictalk-app-'

/** The one policy of Trusted Types that pages may make: it lets `WORKER_PATH` pass, and nothing else. */
export const WORKER_POLICY = 'topictalk-worker'
