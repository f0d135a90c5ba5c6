import type { ComponentType } from 'preact'
import type { WebPage } from '../../../schemas/web-paths.js'
import type { Route } from '../state/router.js'
import { lazy } from '../ui/lazy.js'

const SettingsPage = lazy<Route['parts']>(() => import('../settings/settings-page.js'))

/** Pages in the place of a room, by their names in `WEB_PATHS`: chunks, by `lazy`. Each is given the parts of its path. */
const PAGES: Partial<Record<WebPage, ComponentType<Route['parts']>>> = {
  join: lazy(() => import('../rooms/manage/join-page.js')),
  settings: SettingsPage,
  settingsPart: SettingsPage,
  devices: lazy(() => import('../devices/devices-page.js')),
  device: lazy(() => import('../devices/device-page.js')),
}

/** The page that is shown in the place of a room; null: there is none at this address. */
export function pageOf({ page }: Route): ComponentType<Route['parts']> | null {
  return (page && PAGES[page]) ?? null
}
