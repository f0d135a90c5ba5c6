import { useSignal } from '@preact/signals'
import type { RoomRole } from '../../../../schemas/permissions.js'
import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { confirm } from '../../ui/confirm.js'
import { Problem } from '../../ui/problem.js'
import { SelectField } from '../../ui/select-field.js'
import { momentOf } from '../../ui/times.js'
import { useAct } from '../../ui/use-act.js'
import { useNameOf } from './person.js'
import { may, mayAct, rolesToGive } from './rights.js'
import { SanctionDialog } from './sanction-dialog.js'
import { roomTexts } from './texts.js'
import { type Mute, useMute } from './use-mute.js'

interface MemberActsProps {
  readonly room: string
  readonly info: RoomInfo | null
  readonly user: string
  /** Null: they are not in the room. */
  readonly role: RoomRole | null
}

/** What the role of the user lets them do about another one in the room. */
export function MemberActs({ room, info, user, role }: MemberActsProps) {
  const t = roomTexts.value
  const { chat, user: me } = usePresent()
  const { run, isBusy, error } = useAct()
  const name = useNameOf(user)
  const dialog = useSignal<'mute' | 'ban' | null>(null)
  const mute = useMute(room, user, may(info, 'mute'))
  if (user === me) return null
  const isMember = role !== null
  const remove = async (): Promise<void> => {
    const isSure = await confirm({ title: t.removeAsk(name), text: t.removeText, yes: t.remove, isDanger: true })
    if (isSure) await chat.ask.rooms.remove({ room, user })
  }
  const transfer = async (): Promise<void> => {
    const isSure = await confirm({ title: t.transferAsk(name), text: t.transferText, yes: t.transfer, isDanger: true })
    if (isSure) await chat.ask.rooms.transfer({ room, user })
  }
  const acts = [
    isMember && mayAct(info, 'mute', role) && !mute && { text: t.muteMember, act: () => (dialog.value = 'mute') },
    isMember && mayAct(info, 'remove', role) && { text: t.remove, act: () => void run(remove) },
    mayAct(info, 'ban', role) && { text: t.ban, act: () => (dialog.value = 'ban') },
    isMember && mayAct(info, 'transfer', role) && { text: t.transfer, act: () => void run(transfer) },
  ].filter((act) => act !== false)
  return (
    <section class="section">
      {mute && <MuteState mute={mute} room={room} />}
      {role !== null && mayAct(info, 'setRole', role) && <RoleChoice room={room} info={info} user={user} role={role} />}
      <div>
        {acts.map(({ text, act }) => (
          <button key={text} type="button" class="entry danger" aria-disabled={isBusy} onClick={act}>
            {text}
          </button>
        ))}
      </div>
      <Problem error={error} told={{ conflict: t.problems.lastOwner }} />
      {dialog.value && (
        <SanctionDialog kind={dialog.value} {...{ room, user, name }} close={() => (dialog.value = null)} />
      )}
    </section>
  )
}

function RoleChoice({ room, info, user, role }: MemberActsProps & { role: RoomRole }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const name = useNameOf(user)
  const set = async (wanted: RoomRole): Promise<boolean> => {
    const question = { title: t.makeOwner(name), text: t.makeOwnerText, yes: t.makeOwnerYes, isDanger: true }
    if (wanted === 'owner' && !(await confirm(question))) return false
    return run(() => chat.ask.rooms.setRole({ room, user, role: wanted }))
  }
  const options = [...new Set([...rolesToGive(info), role])]
  return (
    <>
      <SelectField
        label={t.role}
        value={role}
        change={set}
        options={options.map((one) => [one, t.roles[one]] as const)}
        aria-disabled={isBusy}
      />
      <Problem error={error} told={{ conflict: t.problems.lastOwner }} />
    </>
  )
}

function MuteState({ mute: { user, until }, room }: { mute: Mute; room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  return (
    <div class="in-line">
      <p>{until === null ? t.isMuted : t.isMutedUntil(momentOf(until))}</p>
      <button
        type="button"
        class="button small"
        aria-disabled={isBusy}
        onClick={() => void run(() => chat.ask.rooms.unmute({ room, user }))}
      >
        {t.endMute}
      </button>
      <Problem error={error} />
    </div>
  )
}
