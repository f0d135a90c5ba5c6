import { useId } from 'preact/hooks'
import {
  canNotify,
  chooseNotifying,
  chooseQuietHours,
  isBlocked,
  NOTIFYING,
  notifying,
  quietHours,
} from '../state/notifying.js'
import { SelectField } from '../ui/select-field.js'
import { notificationTexts } from './texts.js'

/** Quiet hours that are suggested to who turns them on. */
const NIGHT = { from: '22:00', to: '07:00' }

/** Whether this browser notifies, what it shows, and when it is quiet. */
export function NotificationChoice() {
  const t = notificationTexts.value
  if (!canNotify || isBlocked.value) return <p class="hint">{canNotify ? t.blocked : t.unavailable}</p>
  return (
    <>
      <SelectField
        label={t.title}
        hint={t.whileOpen}
        value={notifying.value}
        change={chooseNotifying}
        options={NOTIFYING.map((one) => [one, t.choices[one]] as const)}
      />
      {notifying.value !== 'off' && <QuietHours />}
    </>
  )
}

function QuietHours() {
  const t = notificationTexts.value
  const hours = quietHours.value
  return (
    <>
      <div class="choices">
        <label>
          <input
            type="checkbox"
            checked={hours !== null}
            onChange={({ currentTarget: { checked } }) => chooseQuietHours(checked ? NIGHT : null)}
          />
          {t.quiet}
        </label>
      </div>
      {hours && (
        <TimeField label={t.quietFrom} time={hours.from} change={(from) => chooseQuietHours({ ...hours, from })} />
      )}
      {hours && <TimeField label={t.quietTo} time={hours.to} change={(to) => chooseQuietHours({ ...hours, to })} />}
    </>
  )
}

interface TimeFieldProps {
  readonly label: string
  readonly time: string
  readonly change: (time: string) => void
}

function TimeField({ label, time, change }: TimeFieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="time"
        required
        value={time}
        onChange={({ currentTarget: { value } }) => {
          // Empty while it is typed.
          if (value !== '') change(value)
        }}
      />
    </div>
  )
}
