import { useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { pathTo } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Avatar } from '../ui/avatar.js'
import { Dialog } from '../ui/dialog.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { SearchField } from '../ui/search-field.js'
import { useLate } from '../ui/use-late.js'
import { useRequest } from '../ui/use-request.js'
import { dialogTexts } from './texts.js'

/** Finds a user, and opens the conversation with them. */
export function NewMessage({ close }: { close: () => void }) {
  const t = dialogTexts.value
  const { chat } = usePresent()
  const [query, setQuery] = useState('')
  const asked = useLate(query.trim())
  const answer = useRequest(asked, async (signal) =>
    asked === '' ? [] : (await chat.ask.users.search({ query: asked, limit: 20 }, { signal })).users,
  )
  return (
    <Dialog title={texts.value.newMessage} close={close}>
      <SearchField label={t.searchPeople} hint={t.peopleHint} value={query} change={setQuery} />
      <div class="results" aria-live="polite">
        {answer.state === 'failed' && <p class="error">{problemText(answer.error)}</p>}
        {answer.state === 'done' && asked !== '' && answer.value.length === 0 && <p class="hint">{t.noPeople}</p>}
        {answer.state === 'done' && (
          <ul class="result-list">
            {answer.value.map(({ user, name, avatar }) => (
              <li key={user}>
                <Link to={pathTo('user', { user })} class="result" follow={close}>
                  <Avatar id={user} name={name ?? user} picture={avatar} />
                  <span class="result-title">
                    <Name text={name} fallback={user} isLine />
                  </span>
                  <span class="result-more">
                    <bdi>{user}</bdi>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Dialog>
  )
}
