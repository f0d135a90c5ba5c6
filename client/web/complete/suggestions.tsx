import { useEffect, useId, useLayoutEffect, useState } from 'preact/hooks'
import type { Room } from '../../index.js'
import { usePresent } from '../state/context.js'
import { announce } from '../ui/announcer.js'
import type { Area } from '../ui/area.js'
import { learnCommands } from './commands.js'
import type { Suggestion } from './suggestion.js'
import { completionTexts } from './texts.js'
import type { Token } from './token.js'
import type { Completion } from './use-completion.js'
import { useSuggestions } from './use-suggestions.js'

interface SuggestionsProps {
  readonly token: Token
  readonly room: Room
  readonly area: Area
  readonly completion: Pick<Completion, 'close' | 'listen'>
  readonly write: (text: string) => void
}

/** What may be meant, above where one writes: the arrow keys choose, Tab and Enter take, Escape closes. The focus stays in the text. */
export default function Suggestions({ token, room, area, completion, write }: SuggestionsProps) {
  const t = completionTexts.value
  const { chat } = usePresent()
  const id = useId()
  const suggestions = useSuggestions(room, token)
  const [at, setAt] = useState(0)
  const chosen = Math.min(at, suggestions.length - 1)
  useEffect(() => setAt(0), [token.kind, token.query])
  useEffect(() => void (token.kind === 'command' && learnCommands(chat, room.id)), [token.kind])
  useEffect(() => void (suggestions.length > 0 && announce(t.count(suggestions.length))), [suggestions.length])
  const take = (suggestion: Suggestion): void => {
    const { current } = area
    if (!current) return
    current.setRangeText(`${suggestion.text} `, token.from, token.to, 'end')
    write(current.value)
    completion.close()
    current.focus()
  }
  useKeys({ suggestions, chosen, take, choose: setAt, completion })
  useOwner(area, id, suggestions[chosen])
  if (suggestions.length === 0) return null
  return (
    <div class="suggestions" role="listbox" id={id} aria-label={t.titles[token.kind]}>
      {suggestions.map((one, place) => (
        // The text has the focus, and the keys.
        // biome-ignore lint/a11y/useKeyWithClickEvents: those of the text do the same
        // biome-ignore lint/a11y/useFocusableInteractive: it is named by aria-activedescendant of the text
        <div
          key={one.key}
          id={`${id}-${one.key}`}
          role="option"
          class="suggestion"
          aria-selected={place === chosen}
          ref={(item) => void (place === chosen && item?.scrollIntoView({ block: 'nearest' }))}
          onMouseDown={(event) => event.preventDefault()}
          onMouseMove={() => setAt(place)}
          onClick={() => take(one)}
        >
          <span class="suggestion-sign" aria-hidden="true">
            {one.sign}
          </span>
          <bdi class="suggestion-name">{one.name}</bdi>
          {one.hint !== '' && <bdi class="hint line">{one.hint}</bdi>}
        </div>
      ))}
    </div>
  )
}

interface KeysOf {
  readonly suggestions: readonly Suggestion[]
  readonly chosen: number
  readonly take: (suggestion: Suggestion) => void
  readonly choose: (at: number) => void
  readonly completion: SuggestionsProps['completion']
}

function useKeys({ suggestions, chosen, take, choose, completion }: KeysOf): void {
  const count = suggestions.length
  useLayoutEffect(() => {
    const acts: Readonly<Record<string, () => void>> = {
      ArrowDown: () => choose((chosen + 1) % count),
      ArrowUp: () => choose((chosen + count - 1) % count),
      Tab: () => take(suggestions[chosen]!),
      Enter: () => take(suggestions[chosen]!),
      Escape: () => completion.close(),
    }
    completion.listen(({ key, shiftKey, ctrlKey, metaKey, altKey }) => {
      const act = acts[key]
      if (!act || count === 0 || shiftKey || ctrlKey || metaKey || altKey) return false
      act()
      return true
    })
    return () => completion.listen(null)
  })
}

/** Says to a screen reader what is chosen for the text that has the focus. */
function useOwner(area: Area, id: string, chosen: Suggestion | undefined): void {
  useLayoutEffect(() => {
    const { current } = area
    if (!current || !chosen) return
    current.setAttribute('aria-controls', id)
    current.setAttribute('aria-activedescendant', `${id}-${chosen.key}`)
    return () => {
      current.removeAttribute('aria-controls')
      current.removeAttribute('aria-activedescendant')
    }
  }, [id, chosen?.key])
}
