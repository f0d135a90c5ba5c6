import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { navigate } from '../state/router.js'
import { texts } from '../text/text.js'
import { Avatar } from '../ui/avatar.js'
import { Dialog } from '../ui/dialog.js'
import { Name } from '../ui/name.js'
import { useLate } from '../ui/use-late.js'
import { useRequest } from '../ui/use-request.js'
import { type Place, placesOf } from './places.js'
import { searchTexts } from './texts.js'

/** People that the broker is asked for. */
const PEOPLE = 8

/** Goes to a room or a person by a few letters of the name. */
export default function Switcher({ close }: { close: () => void }) {
  const t = searchTexts.value
  const [query, setQuery] = useState('')
  const [chosen, setChosen] = useState(0)
  const places = usePlaces(query.trim())
  const at = Math.min(chosen, places.length - 1)
  const id = useId()
  const open = (place: Place | undefined): void => {
    if (!place) return
    close()
    navigate(place.path)
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.isComposing || event.keyCode === 229) return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setChosen((at + step + places.length) % Math.max(1, places.length))
    else if (event.key === 'Enter') open(places[at])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title={t.jumpTo} close={close}>
      <input
        type="text"
        role="combobox"
        aria-label={t.jumpToField}
        aria-controls={id}
        aria-expanded={places.length > 0}
        aria-autocomplete="list"
        {...(places.length > 0 ? { 'aria-activedescendant': `${id}-${at}` } : {})}
        placeholder={t.jumpToField}
        value={query}
        maxLength={128}
        {...(query === '' ? {} : { dir: 'auto' as const })}
        autocomplete="off"
        spellcheck={false}
        onInput={({ currentTarget: { value } }) => {
          setQuery(value)
          setChosen(0)
        }}
        onKeyDown={keys}
      />
      <div class="results">
        <div role="listbox" id={id} aria-label={t.places}>
          {places.map((place, index) => (
            <PlaceOption
              key={place.path}
              id={`${id}-${index}`}
              place={place}
              isChosen={index === at}
              open={() => open(place)}
            />
          ))}
        </div>
        {places.length === 0 && query.trim() !== '' && (
          <p class="hint" role="status">
            {t.noPlaces}
          </p>
        )}
      </div>
      <p class="hint">{t.switcherHint}</p>
    </Dialog>
  )
}

/** Rooms and people that fit, those where something was said last first. */
function usePlaces(query: string): readonly Place[] {
  const { chat, user } = usePresent()
  const rooms = signalOf(chat.rooms).value
  const contacts = signalOf(chat.contacts).value
  const asked = useLate(query)
  const answer = useRequest(asked, async (signal) =>
    asked === '' ? [] : (await chat.ask.users.search({ query: asked, limit: PEOPLE }, { signal })).users,
  )
  const found = answer.state === 'done' ? answer.value : []
  return placesOf({ query, me: user, rooms, people: [...contacts.map(({ user }) => ({ user, name: null })), ...found] })
}

interface PlaceOptionProps {
  readonly id: string
  readonly place: Place
  readonly isChosen: boolean
  readonly open: () => void
}

function PlaceOption({ id, place, isChosen, open }: PlaceOptionProps) {
  const { path, avatar, title, more, unread } = place
  const row = useRef<HTMLDivElement>(null)
  useEffect(() => void (isChosen && row.current?.scrollIntoView({ block: 'nearest' })), [isChosen])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field, where the focus stays
    <div
      id={id}
      role="option"
      class="result"
      aria-selected={isChosen}
      data-path={path}
      ref={row}
      onClick={open}
      tabIndex={-1}
    >
      <Avatar id={avatar} name={title} />
      <span class="result-title">
        <Name text={title} isLine />
      </span>
      <span class="result-more">
        {unread > 0 ? texts.value.unread(unread) : more === null ? searchTexts.value.person : <bdi>{more}</bdi>}
      </span>
    </div>
  )
}
