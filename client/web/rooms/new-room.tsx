import { useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { navigate, pathTo } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Dialog } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { Problem } from '../ui/problem.js'
import { useAddress } from '../ui/use-address.js'
import { useSubmit } from '../ui/use-submit.js'
import { dialogTexts } from './texts.js'

const ACCESSES = ['public', 'request', 'private'] as const

export function NewRoom({ close }: { close: () => void }) {
  const t = dialogTexts.value
  const { chat } = usePresent()
  const [name, setName] = useState('')
  const [room, setRoom] = useAddress(name, 'room')
  const [topic, setTopic] = useState('')
  const [access, setAccess] = useState<(typeof ACCESSES)[number]>('public')
  const { submit, isBusy, error } = useSubmit(async () => {
    const made = await chat.ask.rooms.create({
      room: room.trim(),
      access,
      ...(name.trim() && { name: name.trim() }),
      ...(topic.trim() && { topic: topic.trim() }),
    })
    close()
    navigate(pathTo('room', { room: made.room }))
  })
  const isOfRoom = error?.field === 'room'
  return (
    <Dialog title={texts.value.newRoom} close={close}>
      <form class="form" onSubmit={submit} noValidate>
        <Field label={t.roomName} value={name} change={setName} input={{ maxLength: 128, dir: 'auto' }} />
        <Field
          label={t.roomId}
          hint={t.roomIdHint}
          error={isOfRoom ? problemText(error) : null}
          value={room}
          change={setRoom}
          input={{ maxLength: 64, autocapitalize: 'none', spellcheck: false, required: true, dir: 'ltr' }}
        />
        <Field
          label={t.roomTopic}
          hint={t.optional}
          value={topic}
          change={setTopic}
          input={{ maxLength: 1024, dir: 'auto' }}
        />
        <fieldset class="choices">
          <legend>{t.access}</legend>
          {ACCESSES.map((one) => (
            <label key={one}>
              <input type="radio" name="access" checked={access === one} onChange={() => setAccess(one)} />
              {t.accesses[one]}
            </label>
          ))}
        </fieldset>
        <Problem error={isOfRoom ? null : error} />
        <div class="actions">
          <button type="submit" class="button primary" aria-disabled={isBusy || room.trim() === ''}>
            {t.create}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
