import type { RoomSummary } from '../../index.js'
import { signalOfUser } from '../state/of-user.js'
import { texts } from '../text/text.js'

export const FILTERS = ['all', 'unread', 'people', 'rooms', 'hidden'] as const

export type Filter = (typeof FILTERS)[number]

/** Which conversations are listed. */
export const filter = signalOfUser<Filter>('all')

export function passes({ info, mine, unread }: RoomSummary, by: Filter): boolean {
  const isHidden = mine.hidden && unread === 0
  if (by === 'hidden') return isHidden
  if (isHidden) return false
  if (by === 'unread') return unread > 0 || mine.unreadFrom !== null
  return by === 'all' || info.direct === (by === 'people')
}

/** @param hasHidden Whether there are hidden ones */
export function ListFilter({ hasHidden }: { hasHidden: boolean }) {
  const t = texts.value
  const shown = FILTERS.filter((one) => one !== 'hidden' || hasHidden || filter.value === 'hidden')
  return (
    <fieldset class="chips">
      <legend class="hidden-text">{t.filter}</legend>
      {shown.map((one) => (
        <label key={one} class="chip">
          <input type="radio" name="filter" checked={filter.value === one} onChange={() => (filter.value = one)} />
          <span>{t.filters[one]}</span>
        </label>
      ))}
    </fieldset>
  )
}
