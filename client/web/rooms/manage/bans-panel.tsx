import type { CommandResult } from '../../../../schemas/commands.js'
import { usePresent } from '../../state/context.js'
import { PageList } from '../../ui/page-list.js'
import { Panel } from '../../ui/panel.js'
import { Problem } from '../../ui/problem.js'
import { momentOf } from '../../ui/times.js'
import { useAct } from '../../ui/use-act.js'
import { useList } from '../../ui/use-pages.js'
import { PersonName, useNameOf } from './person.js'
import { PersonEntry } from './person-entry.js'
import { roomTexts } from './texts.js'
import { useRoomNews } from './use-room-news.js'

type Ban = CommandResult<'rooms.bans'>['bans'][number]
type Mute = CommandResult<'rooms.mutes'>['mutes'][number]

const PAGE = 50

/** Who is banned from a room, and who is muted in it. */
export default function BansPanel({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const bans = useList<Ban>(room, async (last, options) => {
    const { bans: items, more } = await chat.ask.rooms.bans({ room, limit: PAGE, after: last?.user ?? '' }, options)
    return { items, more }
  })
  const mutes = useList<Mute>(room, async (last, options) => {
    const page = { room, limit: PAGE, after: last?.user ?? '' }
    const { mutes: items, more } = await chat.ask.rooms.mutes(page, options)
    return { items, more }
  })
  useRoomNews(room, ['banned', 'unbanned'], bans.reload)
  useRoomNews(room, ['muted', 'unmuted'], mutes.reload)
  const unban = async (ban: Ban): Promise<void> => {
    await chat.ask.rooms.unban({ room, user: ban.user })
    bans.drop(ban)
  }
  const unmute = async (mute: Mute): Promise<void> => {
    await chat.ask.rooms.unmute({ room, user: mute.user })
    mutes.drop(mute)
  }
  return (
    <Panel title={t.bans}>
      <section class="section">
        <h3>{t.banned}</h3>
        <PageList
          list={bans}
          empty={<p class="hint">{t.noBans}</p>}
          row={(ban) => <SanctionRow key={ban.user} sanction={ban} end={t.unban} lift={() => unban(ban)} />}
        />
      </section>
      <section class="section">
        <h3>{t.muted}</h3>
        <PageList
          list={mutes}
          empty={<p class="hint">{t.noMutes}</p>}
          row={(mute) => <SanctionRow key={mute.user} sanction={mute} end={t.endMute} lift={() => unmute(mute)} />}
        />
      </section>
    </Panel>
  )
}

interface SanctionRowProps {
  readonly sanction: Mute & Partial<Pick<Ban, 'reason'>>
  /** What the button says that ends it. */
  readonly end: string
  readonly lift: () => Promise<void>
}

function SanctionRow({ sanction: { user, by, until, reason }, end, lift }: SanctionRowProps) {
  const t = roomTexts.value
  const { run, isBusy, error } = useAct()
  const name = useNameOf(user)
  return (
    <li>
      <PersonEntry
        user={user}
        name={name}
        more={
          <>
            {until === null ? t.forGood : t.until(momentOf(until))} · {t.by} <PersonName user={by} />
          </>
        }
      >
        <button
          type="button"
          class="button small"
          aria-label={`${end}: ${name}`}
          aria-disabled={isBusy}
          onClick={() => void run(lift)}
        >
          {end}
        </button>
      </PersonEntry>
      {reason && (
        <p class="hint">
          <bdi>{reason}</bdi>
        </p>
      )}
      <Problem error={error} />
    </li>
  )
}
