import { useSignal } from '@preact/signals'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { leavePanel } from '../../state/panel.js'
import { pathTo } from '../../state/router.js'
import { confirm } from '../../ui/confirm.js'
import { Link } from '../../ui/link.js'
import { Problem } from '../../ui/problem.js'
import { useAct } from '../../ui/use-act.js'
import { useNameOf } from './person.js'
import { ReportDialog } from './report-dialog.js'
import { roomTexts } from './texts.js'

interface PersonActsProps {
  readonly user: string
  /** The room in which they can be mentioned. */
  readonly room?: string | undefined
  /** Their conversation is what is shown. */
  readonly isHere?: boolean
}

/** What everybody may do about a person. */
export function PersonActs({ user, room, isHere = false }: PersonActsProps) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const name = useNameOf(user)
  const isReporting = useSignal(false)
  const isBlocked = signalOf(chat.blocks).value.some((one) => one.user === user)
  const block = async (): Promise<void> => {
    const isSure = await confirm({ title: t.blockAsk(name), text: t.blockText, yes: t.block, isDanger: true })
    if (isSure) await chat.ask.blocks.add({ user })
  }
  return (
    <section class="section">
      {isBlocked && <p class="notice">{t.isBlocked}</p>}
      <div class="in-line">
        {!isHere && (
          <Link to={pathTo('user', { user })} class="button primary">
            {t.writeTo}
          </Link>
        )}
        {room !== undefined && <Mention room={room} user={user} />}
        {!isBlocked && <ContactAct user={user} />}
        {isBlocked ? (
          <button
            type="button"
            class="button"
            aria-disabled={isBusy}
            onClick={() => void run(() => chat.ask.blocks.remove({ user }))}
          >
            {t.unblock}
          </button>
        ) : (
          <button type="button" class="button" aria-disabled={isBusy} onClick={() => void run(block)}>
            {t.block}
          </button>
        )}
        <button type="button" class="button" onClick={() => (isReporting.value = true)}>
          {t.report}
        </button>
      </div>
      <Problem error={error} />
      {isReporting.value && <ReportDialog target={{ user }} close={() => (isReporting.value = false)} />}
    </section>
  )
}

/** Goes on with what is being written in the room. */
function Mention({ room, user }: { room: string; user: string }) {
  const { drafts } = usePresent()
  const mention = (): void => {
    const before = drafts.of(room).current
    drafts.set(room, `${before}${/\S$/.test(before) ? ' ' : ''}@${user} `)
    leavePanel()
    document.querySelector<HTMLElement>('.composer textarea')?.focus()
  }
  return (
    <button type="button" class="button" onClick={mention}>
      {roomTexts.value.mention}
    </button>
  )
}

/** Contacts see each other's presence; both have to agree. */
function ContactAct({ user }: { user: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const state = signalOf(chat.contacts).value.find((one) => one.user === user)?.state ?? 'none'
  const { contacts } = chat.ask
  const act = async (): Promise<void> => {
    if (state === 'none') await contacts.request({ user })
    else if (state === 'asking') await contacts.accept({ user })
    else await contacts.remove({ user })
  }
  return (
    <>
      <button type="button" class="button" aria-disabled={isBusy} onClick={() => void run(act)}>
        {t.contact[state]}
      </button>
      <Problem error={error} told={{ forbidden: t.problems.noInvites }} />
    </>
  )
}
