import type { Room } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { Problem } from '../../ui/problem.js'
import { SelectField } from '../../ui/select-field.js'
import { momentOf } from '../../ui/times.js'
import { useAct } from '../../ui/use-act.js'
import { isMuted } from '../is-muted.js'
import { isForGood, muteTimes } from '../mute-times.js'
import { dialogTexts } from '../texts.js'
import { roomTexts } from './texts.js'

const LEVELS = ['default', 'all', 'mentions', 'none'] as const

type Settings = Parameters<Room['settings']>[0]

/** Of which messages of the room the user is told. */
export function NotifyChoice({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, error } = useAct()
  const mine = signalOf(chat.rooms).value.find((one) => one.room === room)?.mine
  if (!mine) return null
  const set = (changes: Settings): Promise<boolean> => run(() => chat.room(room).settings(changes))
  return (
    <section class="section">
      <h3>{t.notifications}</h3>
      <SelectField
        label={t.notifyOf}
        value={mine.notifications}
        change={(notifications) => set({ notifications })}
        options={LEVELS.map((level) => [level, t.notify[level]] as const)}
      />
      {isMuted(mine) ? <Muted until={mine.mutedUntil!} set={set} /> : <Mute set={set} />}
      <Problem error={error} />
    </section>
  )
}

function Muted({ until, set }: { until: number; set: (changes: Settings) => unknown }) {
  const t = roomTexts.value
  return (
    <div class="in-line">
      <p>{isForGood(until) ? t.mutedForGood : t.mutedUntil(momentOf(until))}</p>
      <button type="button" class="button small" onClick={() => set({ mutedUntil: null })}>
        {dialogTexts.value.roomActs.unmute}
      </button>
    </div>
  )
}

function Mute({ set }: { set: (changes: Settings) => unknown }) {
  const t = roomTexts.value
  return (
    <fieldset class="in-line choices">
      <legend>{t.mute}</legend>
      {muteTimes().map(({ text, until }) => (
        <button type="button" class="button small" key={text} onClick={() => set({ mutedUntil: until() })}>
          {text}
        </button>
      ))}
    </fieldset>
  )
}
