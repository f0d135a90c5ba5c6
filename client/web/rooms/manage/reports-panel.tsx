import { usePresent } from '../../state/context.js'
import { PageList } from '../../ui/page-list.js'
import { Panel } from '../../ui/panel.js'
import { useList } from '../../ui/use-pages.js'
import { type Report, ReportCard } from './report-card.js'
import { roomTexts } from './texts.js'
import { useReported } from './use-room-news.js'

const PAGE = 20

/** What members have reported to the moderators of a room, and nobody has decided yet. */
export default function ReportsPanel({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const list = useList<Report>(room, async (last, options) => {
    const page = { room, limit: PAGE, ...(last && { after: last.report }) }
    const { reports, more } = await chat.ask.reports.list(page, options)
    return { items: reports, more }
  })
  useReported(room, list.reload)
  return (
    <Panel title={t.reports}>
      <div class="section">
        <PageList
          list={list}
          empty={<p class="hint">{t.noReports}</p>}
          // One decision closes all reports of the same.
          row={(report) => <ReportCard key={report.report} report={report} room={room} done={list.reload} />}
        />
      </div>
    </Panel>
  )
}
