import { useEffect, useState } from 'preact/hooks'
import type { CommandResult } from '../../../schemas/commands.js'
import { titleOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { pathTo } from '../state/router.js'
import { Field } from '../ui/field.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { Problem } from '../ui/problem.js'
import { SelectField } from '../ui/select-field.js'
import { useSubmit } from '../ui/use-submit.js'
import { EntryRow } from './entry-row.js'
import { Part } from './part.js'
import { deviceTexts } from './texts.js'

type Bridge = CommandResult<'devices.get'>['bridges'][number]

interface BridgesProps {
  readonly device: string
  readonly bridges: readonly Bridge[]
  readonly changed: () => void
}

/** Rooms into which is posted what the device tells. */
export function Bridges({ device, bridges, changed }: BridgesProps) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  return (
    <Part title={t.bridges}>
      {bridges.length === 0 && <p class="hint">{t.noBridges}</p>}
      <ul class="rows">
        {bridges.map(({ bridge, filter, room, template }) => (
          <EntryRow
            key={bridge}
            removes={t.unbridge(filter)}
            remove={() => chat.ask.devices.unbridge({ device, bridge })}
            removed={changed}
          >
            <p>
              <code dir="ltr">
                <Name text={filter} />
              </code>{' '}
              <RoomLink room={room} />
            </p>
            {template !== null && (
              <p class="hint">
                <Name text={template} />
              </p>
            )}
          </EntryRow>
        ))}
      </ul>
      <BridgeForm device={device} changed={changed} />
    </Part>
  )
}

function RoomLink({ room }: { room: string }) {
  const { chat, user } = usePresent()
  const info = signalOf(chat.room(room).info).value
  return (
    <Link to={pathTo('room', { room })}>
      <Name text={titleOf(room, info, user)} />
    </Link>
  )
}

function BridgeForm({ device, changed }: { device: string; changed: () => void }) {
  const t = deviceTexts.value
  const { chat, user } = usePresent()
  const rooms = signalOf(chat.rooms).value.filter(({ info }) => !info.direct)
  const [filter, setFilter] = useState('')
  const [room, setRoom] = useState(rooms[0]?.room)
  const [template, setTemplate] = useState('')
  const chosen = rooms.some((one) => one.room === room) ? room : rooms[0]?.room
  // It stays, whichever room is the most active one by then.
  useEffect(() => setRoom(chosen), [chosen])
  const { submit, isBusy, error } = useSubmit(async () => {
    if (chosen === undefined) return
    const text = template.trim()
    await chat.ask.devices.bridge({ device, filter: filter.trim(), room: chosen, ...(text && { template: text }) })
    setFilter('')
    setTemplate('')
    changed()
  })
  if (chosen === undefined) return <p class="hint">{t.noRooms}</p>
  return (
    <form class="inline-form" onSubmit={submit} noValidate>
      <Field
        label={t.filter}
        hint={t.filterHint}
        value={filter}
        change={setFilter}
        input={{ autocapitalize: 'none', spellcheck: false, autocomplete: 'off', dir: 'ltr' }}
      />
      <SelectField
        label={t.room}
        value={chosen}
        change={setRoom}
        options={rooms.map(({ room, info }) => [room, titleOf(room, info, user)] as const)}
      />
      <Field
        label={t.template}
        hint={t.templateHint}
        value={template}
        change={setTemplate}
        input={{ maxLength: 1024, autocomplete: 'off', dir: 'auto' }}
      />
      <Problem error={error} />
      <button type="submit" class="button" disabled={isBusy || filter.trim() === ''}>
        {t.addBridge}
      </button>
    </form>
  )
}
