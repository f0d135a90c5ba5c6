import { useState } from 'preact/hooks'
import type { Chat } from '../../index.js'
import { usePresent } from '../state/context.js'
import { exitEverywhere } from '../state/session.js'
import { confirm } from '../ui/confirm.js'
import { momentOf } from '../ui/times.js'
import { Loaded } from './loaded.js'
import { Rows } from './rows.js'
import { SaveState } from './save-state.js'
import { settingsTexts } from './texts.js'
import { useSaving } from './use-saving.js'

type Session = Awaited<ReturnType<Chat['ask']['sessions']['list']>>['sessions'][number]

/** Where the user is logged in. */
export function SessionsPart() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [version, setVersion] = useState(0)
  /** The broker ends them after its answer: they may still be listed. */
  const [ended, setEnded] = useState<readonly string[]>([])
  const { saving, save } = useSaving()
  const end = async (session: Session): Promise<void> => {
    const name = nameOf(session)
    const text = session.sameLogin ? t.endOwnText : t.endText
    if (!(await confirm({ title: t.endTitle(name), text, yes: t.end, isDanger: true }))) return
    if (await save(() => chat.ask.sessions.end({ session: session.session }))) setEnded([...ended, keyOf(session)])
    setVersion(version + 1)
  }
  const endOthers = async (others: readonly Session[]): Promise<void> => {
    const question = { title: t.othersTitle, text: t.othersText, yes: t.others, isDanger: true }
    if (!(await confirm(question))) return
    if (await save(() => chat.ask.sessions.endOthers())) setEnded([...ended, ...others.map(keyOf)])
    setVersion(version + 1)
  }
  const endAll = async (): Promise<void> => {
    const question = { title: t.everywhere, text: t.everywhereText, yes: t.everywhere, isDanger: true }
    if (await confirm(question)) await save(exitEverywhere)
  }
  return (
    <>
      <p class="hint">{t.sessionsHint}</p>
      <Loaded ask={() => chat.ask.sessions.list({ limit: 1000 })} version={version}>
        {({ sessions }) => (
          <Sessions
            sessions={sessions.filter((session) => !ended.includes(keyOf(session)))}
            end={(session) => void end(session)}
            endOthers={(others) => void endOthers(others)}
          />
        )}
      </Loaded>
      <SaveState saving={saving} />
      <div>
        <button type="button" class="button danger" onClick={() => void endAll()}>
          {t.everywhere}
        </button>
      </div>
    </>
  )
}

interface SessionsProps {
  readonly sessions: readonly Session[]
  readonly end: (session: Session) => void
  readonly endOthers: (others: readonly Session[]) => void
}

function Sessions({ sessions, end, endOthers }: SessionsProps) {
  const others = sessions.filter(({ sameLogin }) => !sameLogin)
  return (
    <>
      <Rows label={settingsTexts.value.parts.sessions}>
        {sessions.map((session) => (
          <SessionRow key={session.session} session={session} end={() => end(session)} />
        ))}
      </Rows>
      {others.length > 0 && (
        <div>
          <button type="button" class="button danger" onClick={() => endOthers(others)}>
            {settingsTexts.value.others}
          </button>
        </div>
      )}
    </>
  )
}

function SessionRow({ session, end }: { session: Session; end: () => void }) {
  const t = settingsTexts.value
  const { connected, current, sameLogin, since, lastSeen, address } = session
  const seen = connected ? t.connected : lastSeen !== null && t.lastSeen(momentOf(lastSeen))
  return (
    <li class="settings-row">
      <span class="settings-row-texts">
        <strong>{nameOf(session)}</strong>
        <span class="hint">
          {[current ? t.thisTab : sameLogin && t.thisDevice, seen, address, t.since(momentOf(since))]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </span>
      {!current && (
        <button type="button" class="button small" onClick={end} aria-label={t.endOf(nameOf(session))}>
          {t.end}
        </button>
      )}
    </li>
  )
}

/** A device that logs in again begins another one. */
function keyOf({ session, since }: Session): string {
  return `${session} ${since}`
}

/** Clients of the SDK begin their id with what they are; what others chose is shown as it is. */
function nameOf({ session }: Session): string {
  const kinds: Readonly<Record<string, string>> = settingsTexts.value.kinds
  const [, kind = ''] = /^(\w+)-[a-z0-9]{1,8}$/.exec(session) ?? []
  return kinds[kind] ?? session
}
