import type { CommandParams, CommandResult } from '../../../../schemas/commands.js'
import { usePresent } from '../../state/context.js'
import { pathTo } from '../../state/router.js'
import { confirm } from '../../ui/confirm.js'
import { Link } from '../../ui/link.js'
import { Problem } from '../../ui/problem.js'
import { momentOf } from '../../ui/times.js'
import { useAct } from '../../ui/use-act.js'
import { PersonName, useNameOf } from './person.js'
import { roomTexts } from './texts.js'
import { decided } from './use-pending.js'

export type Report = CommandResult<'reports.list'>['reports'][number]

type Action = CommandParams<'reports.resolve'>['action']

/** Seconds of a mute. */
const A_DAY = 86_400

interface ReportCardProps {
  readonly report: Report
  readonly room: string
  readonly done: () => void
}

/** One report: of what, why, and what a moderator can do about it. */
export function ReportCard({ report, room, done }: ReportCardProps) {
  const t = roomTexts.value
  const { by, seq, user, reason, text, at } = report
  return (
    <li class="card">
      <p>
        <strong>{t.reportReasons[reason]}</strong>
      </p>
      {text && (
        <p>
          <bdi>{text}</bdi>
        </p>
      )}
      <p class="hint">
        {t.reportedBy} {by === 'system' ? t.aFilter : <PersonName user={by} />} · {momentOf(at)}
      </p>
      <blockquote>
        <p class="hint">
          <PersonName user={user} />
        </p>
        <p>{seq === null ? t.reportedPerson : <bdi>{textOf(report.message) || t.noText}</bdi>}</p>
        {seq !== null && <Link to={pathTo('message', { room, seq })}>{t.showMessage}</Link>}
      </blockquote>
      <Decision report={report} done={done} />
    </li>
  )
}

function Decision({ report: { report, seq, user }, done }: Pick<ReportCardProps, 'report' | 'done'>) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const name = useNameOf(user)
  const ACTS = { dismiss: t.dismiss, delete: t.deleteMessage, mute: t.muteAuthor, ban: t.banAuthor }
  const resolve = async (action: Action): Promise<void> => {
    const title = action === 'dismiss' ? null : t.resolveAsk[action](name)
    if (title !== null && !(await confirm({ title, yes: ACTS[action], isDanger: true }))) return
    await chat.ask.reports.resolve({ report, action, ...(action === 'mute' && { for: A_DAY }) })
    decided.value++
    done()
  }
  const actions: readonly Action[] = seq === null ? ['dismiss', 'mute', 'ban'] : ['dismiss', 'delete', 'mute', 'ban']
  return (
    <>
      <Problem error={error} told={{ not_found: t.problems.done, conflict: t.problems.done }} />
      <div class="in-line">
        {actions.map((action) => (
          <button
            key={action}
            type="button"
            class={action === 'dismiss' ? 'button small' : 'button small danger'}
            aria-disabled={isBusy}
            onClick={() => void run(() => resolve(action))}
          >
            {ACTS[action]}
          </button>
        ))}
      </div>
    </>
  )
}

/** Of the message as it was when it was reported. */
function textOf(message: Report['message']): string {
  const { text } = (message ?? {}) as { readonly text?: unknown }
  return typeof text === 'string' ? text : ''
}
