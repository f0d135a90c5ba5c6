import { useEffect } from 'preact/hooks'
import { LightboxPlace } from '../files/lightbox-place.js'
import { messageDialog } from '../room/message-dialogs.js'
import { RoomPage } from '../room/room-page.js'
import { RoomDialogs } from '../rooms/dialogs.js'
import { RoomList } from '../rooms/room-list.js'
import { type Present, PresentProvider } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { panel, panelAt } from '../state/panel.js'
import { type Route, roomOf, route } from '../state/router.js'
import { goToWanted } from '../state/wanted.js'
import { texts } from '../text/text.js'
import { Confirm } from '../ui/confirm.js'
import { Empty } from '../ui/empty.js'
import { lazy } from '../ui/lazy.js'
import { Toast } from '../ui/toast.js'
import { keepOutFiles } from './dropped-files.js'
import { Guard } from './guard.js'
import { NewVersion } from './new-version.js'
import { Overlays } from './overlays.js'
import { pageOf } from './pages.js'
import { PanelOf } from './panels.js'
import { Shortcuts } from './shortcuts.js'
import { StatusBanner } from './status-banner.js'

const MessageDialogs = lazy(() => import('../messages/dialogs.js'))
const Notifications = lazy(() => import('./notifications.js'), true)
const Invitations = lazy(() => import('../rooms/manage/invitations.js'))

/** The list and the room: side by side where there is space, else one after the other. */
export function Main({ user, chat, drafts }: Present) {
  const t = texts.value
  const shown = roomOf(route.value, user)
  const Page = pageOf(route.value)
  const isInvited = signalOf(chat.invitations).value.length > 0
  useEffect(goToWanted, [])
  useEffect(keepOutFiles, [])
  useEffect(() => void fetchMenus().catch(() => {}), [])
  const beside = panelAt(panel.value, shown)
  return (
    <PresentProvider value={{ user, chat, drafts }}>
      <a class="skip-link" href="#room">
        {t.skipToRoom}
      </a>
      <main
        class={['shell', isHome(route.value) ? 'at-list' : 'at-room', beside && 'has-panel'].filter(Boolean).join(' ')}
      >
        <StatusBanner />
        <RoomList current={shown} above={isInvited && <Invitations />}>
          <NewVersion />
          <Notifications />
        </RoomList>
        <section class="room-pane" id="room" tabIndex={-1} aria-label={t.conversation}>
          <Guard of={route.value}>
            {shown !== null && <RoomPage id={shown} at={seqOf(route.value)} />}
            {Page && <Page {...route.value.parts} />}
            {shown === null && !Page && <Nothing isHome={isHome(route.value)} />}
          </Guard>
        </section>
        {beside && (
          <Guard of={beside} isPanel>
            <PanelOf panel={beside} />
          </Guard>
        )}
      </main>
      <RoomDialogs />
      {shown !== null && messageDialog.value && <MessageDialogs />}
      <Overlays />
      <Shortcuts room={shown} />
      <Confirm />
      <Toast />
      <LightboxPlace />
    </PresentProvider>
  )
}

/** What is asked for with any room and message: so that it is there at once, and without a connection. */
function fetchMenus(): Promise<unknown> {
  return Promise.all([import('../rooms/room-menu.js'), import('../room/message-tools.js')])
}

function Nothing({ isHome }: { isHome: boolean }) {
  const t = texts.value
  return isHome ? <Empty title={t.choose} /> : <Empty title={t.noSuchPage} isBack />
}

/** The pages for those who are not logged in have nothing to show after that. */
function isHome({ page }: Route): boolean {
  return page === 'home' || page === 'logIn' || page === 'register'
}

function seqOf({ parts }: Route): number | null {
  const seq = Number(parts['seq'])
  return Number.isSafeInteger(seq) && seq > 0 ? seq : null
}
