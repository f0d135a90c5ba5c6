import { FoundMessage } from '../search/found-message.js'
import { Empty } from '../ui/empty.js'
import { Panel } from '../ui/panel.js'
import { Problem } from '../ui/problem.js'
import { rove } from '../ui/roving.js'
import { pinTexts } from './texts.js'
import { usePins } from './use-pins.js'

/** The pinned messages of a room. */
export default function PinsPanel({ room }: { room: string }) {
  const t = pinTexts.value
  const { all, error } = usePins(room)
  return (
    <Panel title={t.pins}>
      <Problem error={error} />
      {all?.length === 0 && <Empty title={t.none} hint={t.noneHint} />}
      {all && all.length > 0 && (
        <ul aria-label={t.pins} onKeyDown={rove}>
          {all.map((message, at) => (
            <FoundMessage key={message.seq} room={room} message={message} isEntry={at === 0} />
          ))}
        </ul>
      )}
    </Panel>
  )
}
