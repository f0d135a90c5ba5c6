import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { plainLine } from '../ui/plain.js'
import { CodeBlock } from './code-block.js'

/** Lines of data that are shown as such; more of it is shown as it is written. */
const MOST = 12
/** Characters of data that are shown. */
const LONGEST = 10_000

/** A message without words: a place, what a device says, what only its reader can open. */
export function MessageData({ message }: { message: FoldedMessage }) {
  const t = texts.value
  const { type, data } = message
  if (type === 'location') return <Place data={data} />
  if (type === 'encrypted') return <p class="message-text other">{t.encrypted}</p>
  const lines = linesOf(data)
  if (lines === null) {
    const written = JSON.stringify(data, null, 2) ?? ''
    return written === '' ? <p class="message-text other">{t.data}</p> : <CodeBlock code={written.slice(0, LONGEST)} />
  }
  return (
    <dl class="message-data">
      {lines.map(([name, value]) => (
        <div key={name}>
          <dt>{plainLine(name, '…')}</dt>
          <dd dir="auto">{plainLine(value, '…')}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Names with plain values; null: it is something else. */
function linesOf(data: unknown): [string, string][] | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null
  const lines = Object.entries(data)
  const isPlain = lines.every(([, value]) => value === null || typeof value !== 'object')
  return isPlain && lines.length > 0 && lines.length <= MOST
    ? lines.map(([name, value]) => [name, String(value)])
    : null
}

/** The broker has checked it. A map is elsewhere, and only who follows the link is known there. */
function Place({ data }: { data: unknown }) {
  const t = texts.value
  const { lat, lon, accuracy, name } = data as { lat: number; lon: number; accuracy?: number; name?: string }
  const degrees = `${lat.toFixed(5)}, ${lon.toFixed(5)}`
  const href = `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=16/${lat}/${lon}`
  return (
    <p class="attachment">
      <Icon name="place" />
      <span>
        <a href={href} target="_blank" rel="noopener noreferrer">
          <bdi>{plainLine(name ?? '', t.location)}</bdi>
        </a>{' '}
        <bdi dir="ltr">{degrees}</bdi>
        {accuracy !== undefined && ` ${t.within(Math.round(accuracy))}`}
      </span>
    </p>
  )
}
