import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { pathTo } from '../state/router.js'
import { exit } from '../state/session.js'
import { texts } from '../text/text.js'
import { Dialog } from '../ui/dialog.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { Preferences } from './preferences.js'
import { accountTexts } from './texts.js'

export function AccountDialog({ close }: { close: () => void }) {
  const t = accountTexts.value
  const { user, chat } = usePresent()
  const unsent = signalOf(chat.outbox).value.length
  const profile = signalOf(chat.users.profile(user)).value
  const presence = signalOf(chat.users.presence(user)).value
  return (
    <Dialog title={texts.value.account} close={close}>
      <p class="who">
        <PersonAvatar user={user} size="large" />
        <span class="who-texts">
          <Name text={profile?.name} fallback={user} isLine />
          {profile?.name && (
            <span class="hint">
              <bdi>{user}</bdi>
            </span>
          )}
          {presence?.status && (
            <span class="hint">
              <Name text={`${presence.statusEmoji ?? ''} ${presence.status}`} isLine />
            </span>
          )}
        </span>
      </p>
      <Preferences />
      {unsent > 0 && <p class="notice">{t.unsentLost(unsent)}</p>}
      <div class="actions">
        <Link to={pathTo('settings')} class="button" follow={close}>
          {t.settings}
        </Link>
        <button type="button" class="button" onClick={() => void exit()}>
          {t.logOut}
        </button>
      </div>
    </Dialog>
  )
}
