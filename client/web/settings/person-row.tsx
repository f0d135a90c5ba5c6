import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { pathTo } from '../state/router.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { PersonAvatar } from '../ui/person-avatar.js'
import { settingsTexts } from './texts.js'

export interface RowAct {
  readonly text: string
  readonly act: (user: string) => unknown
}

interface PersonRowProps {
  readonly user: string
  readonly note?: string
  readonly acts: readonly RowAct[]
}

/** A user of a list, with what can be done. */
export function PersonRow({ user, note, acts }: PersonRowProps) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const name = signalOf(chat.users.profile(user)).value?.name ?? user
  return (
    <li class="settings-row">
      <PersonAvatar user={user} size="small" />
      <span class="settings-row-texts">
        <Link to={pathTo('user', { user })}>
          <Name text={name} fallback={user} isLine />
        </Link>
        <span class="hint">
          <bdi>{user}</bdi>
          {note && ` · ${note}`}
        </span>
      </span>
      {acts.map(({ text, act }) => (
        <button
          key={text}
          type="button"
          class="button small"
          onClick={() => act(user)}
          aria-label={t.ofUser(text, name)}
        >
          {text}
        </button>
      ))}
    </li>
  )
}
