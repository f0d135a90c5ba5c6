import { useState } from 'preact/hooks'
import { titleOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import type { SearchFilters } from '../state/panel-kinds.js'
import { Field } from '../ui/field.js'
import { SelectField } from '../ui/select-field.js'
import { useLate } from '../ui/use-late.js'
import { useRequest } from '../ui/use-request.js'
import { searchTexts } from './texts.js'

/** What the broker is asked. A day belongs to it from its beginning to its end. */
export function paramsOf({ room, from, since, until }: SearchFilters) {
  const user = from?.trim().replace(/^@/, '')
  return {
    ...(room && { room }),
    ...(user && { from: user }),
    ...(since && { after: Math.max(0, dayOf(since, 0) - 1) }),
    ...(until && { before: Math.max(0, dayOf(until, 1)) }),
  }
}

/** When a day begins here, or one some days later. */
function dayOf(day: string, later: number): number {
  const date = new Date(`${day}T00:00`)
  return date.setDate(date.getDate() + later)
}

interface FilterFieldsProps {
  readonly filters: SearchFilters
  readonly change: (filters: SearchFilters) => void
}

export function FilterFields({ filters, change }: FilterFieldsProps) {
  const t = searchTexts.value
  const [isOpen, setOpen] = useState(Object.keys(paramsOf(filters)).length > 0)
  const set = (part: SearchFilters) => change({ ...filters, ...part })
  return (
    <details class="filters" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{t.filters}</summary>
      <div class="filter-fields">
        <RoomChoice room={filters.room ?? ''} change={(room) => set({ room })} />
        <FromField from={filters.from ?? ''} change={(from) => set({ from })} />
        <DayField label={t.since} day={filters.since ?? ''} change={(since) => set({ since })} />
        <DayField label={t.until} day={filters.until ?? ''} change={(until) => set({ until })} />
        <button type="button" class="button small" onClick={() => change({})}>
          {t.clear}
        </button>
      </div>
    </details>
  )
}

function RoomChoice({ room, change }: { room: string; change: (room: string) => void }) {
  const t = searchTexts.value
  const { chat, user } = usePresent()
  const rooms = signalOf(chat.rooms).value
  return (
    <SelectField
      label={t.within}
      value={room}
      change={change}
      options={[['', t.everywhere], ...rooms.map(({ room, info }) => [room, titleOf(room, info, user)] as const)]}
    />
  )
}

/** Who wrote it, with those whose names fit what is entered. */
function FromField({ from, change }: { from: string; change: (from: string) => void }) {
  const t = searchTexts.value
  const { chat } = usePresent()
  const asked = useLate(from.trim().replace(/^@/, ''))
  const answer = useRequest(asked, async (signal) =>
    asked === '' ? [] : (await chat.ask.users.search({ query: asked, limit: 8 }, { signal })).users,
  )
  return (
    <div>
      <Field
        label={t.from}
        hint={t.fromHint}
        value={from}
        change={change}
        input={{ list: 'search-from', autocomplete: 'off', autocapitalize: 'none', spellcheck: false, dir: 'auto' }}
      />
      <datalist id="search-from">
        {answer.state === 'done' &&
          answer.value.map(({ user, name }) => (
            <option key={user} value={user}>
              {name ?? user}
            </option>
          ))}
      </datalist>
    </div>
  )
}

function DayField({ label, day, change }: { label: string; day: string; change: (day: string) => void }) {
  return <Field label={label} value={day} change={change} input={{ type: 'date' }} />
}
