import { useState } from 'preact/hooks'
import { EMOJI_GROUPS, type Emoji, findEmoji } from '../emoji/table.js'
import { Dialog } from '../ui/dialog.js'
import { texts } from './texts.js'

const MOST_FOUND = 48

interface EmojiDialogProps {
  readonly choose: (emoji: string) => void
  readonly close: () => void
}

/** All emoji that are offered, for a reaction or a text. */
export function EmojiDialog({ choose: take, close }: EmojiDialogProps) {
  const t = texts.value
  const [query, setQuery] = useState('')
  const wanted = query.trim().replaceAll(' ', '_')
  const choose = (emoji: string): void => {
    close()
    take(emoji)
  }
  return (
    <Dialog title={t.pickEmoji} close={close}>
      <input
        type="search"
        value={query}
        aria-label={t.searchEmoji}
        placeholder={t.searchEmoji}
        onInput={({ currentTarget: { value } }) => setQuery(value)}
      />
      <div class="results">
        {wanted === '' ? (
          EMOJI_GROUPS.map(([group, emoji]) => (
            <section key={group}>
              <h3 class="hint">{t.groups[group]}</h3>
              <Choices emoji={emoji} choose={choose} />
            </section>
          ))
        ) : (
          <Found emoji={findEmoji(wanted, MOST_FOUND)} choose={choose} />
        )}
      </div>
    </Dialog>
  )
}

function Found(props: ChoicesProps) {
  return props.emoji.length === 0 ? <p class="loading">{texts.value.noEmoji}</p> : <Choices {...props} />
}

interface ChoicesProps {
  readonly emoji: readonly Emoji[]
  readonly choose: (emoji: string) => void
}

function Choices({ emoji, choose }: ChoicesProps) {
  return (
    <div class="emoji-choices">
      {emoji.map(({ emoji, names: [name = ''] }) => (
        <button
          key={emoji}
          type="button"
          class="tool emoji"
          title={name.replaceAll('_', ' ')}
          aria-label={`${emoji} ${name.replaceAll('_', ' ')}`}
          onClick={() => choose(emoji)}
        >
          {emoji}
        </button>
      ))}
    </div>
  )
}
