import type { FunctionComponent } from 'preact'
import type { Panel, PanelOfKind } from '../state/panel-kinds.js'
import { lazy } from '../ui/lazy.js'

type Panels = { readonly [K in Panel['kind']]?: FunctionComponent<PanelOfKind<K>> }

/** What is shown of each kind of panel: chunks, by `lazy`. */
const PANELS: Panels = {
  room: lazy(() => import('../rooms/manage/room-panel.js')),
  members: lazy(() => import('../rooms/manage/members-panel.js')),
  person: lazy(() => import('../rooms/manage/person-panel.js')),
  roomSettings: lazy(() => import('../rooms/manage/settings-panel.js')),
  invite: lazy(() => import('../rooms/manage/invite-panel.js')),
  joinRequests: lazy(() => import('../rooms/manage/requests-panel.js')),
  bans: lazy(() => import('../rooms/manage/bans-panel.js')),
  pins: lazy(() => import('../pins/pins-panel.js')),
  reports: lazy(() => import('../rooms/manage/reports-panel.js')),
  search: lazy(() => import('../search/search-panel.js')),
  mentions: lazy(() => import('../search/mentions-panel.js')),
  saved: lazy(() => import('../search/saved-panel.js')),
  followed: lazy(() => import('../search/threads-panel.js')),
  thread: lazy(() => import('../thread/thread-panel.js')),
  threads: lazy(() => import('../thread/threads-panel.js')),
}

export function PanelOf({ panel }: { panel: Panel }) {
  const Shown = PANELS[panel.kind] as FunctionComponent<Panel> | undefined
  return Shown ? <Shown key={JSON.stringify(panel)} {...panel} /> : null
}
