/** Rows that are no messages. */
import { useState } from 'preact/hooks'
import type { Item } from '../../index.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { dayOf, isoDateOf } from '../ui/times.js'
import type { Fetching, Gap } from './fetching.js'
import type { Row } from './rows.js'

export function DayRow({ row }: { row: Extract<Row, { kind: 'day' }> }) {
  return (
    <h2 class="day">
      <button type="button" class="to-date" title={texts.value.toDate}>
        <time dateTime={isoDateOf(row.ts)}>{dayOf(row.ts)}</time>
      </button>
    </h2>
  )
}

export function NewRow() {
  return (
    <h2 class="new-since" data-row="new">
      <span>{texts.value.newSince}</span>
    </h2>
  )
}

export function GoneRow({ item, isEntry }: { item: Extract<Item, { kind: 'gone' }>; isEntry: boolean }) {
  const { seq, gone } = item.message
  return (
    <article class="message gone" data-row={item.key} data-seq={seq} data-entry tabIndex={isEntry ? 0 : -1}>
      {texts.value.gone[gone]}
    </article>
  )
}

export function GapRow({ gap, fetching }: { gap: Gap; fetching: Fetching }) {
  const t = texts.value
  const [isLoading, setLoading] = useState(false)
  const failure = fetching.failure.value
  const load = (): void => {
    if (isLoading) return
    setLoading(true)
    void fetching.fill(gap).then(() => setLoading(false))
  }
  return (
    <div class="gap" data-row={gap.key} data-gap>
      <span>{t.gap(gap.to - gap.from + 1)}</span>
      {failure?.at === gap.key && <span role="alert">{problemText(failure.error)}</span>}
      <button type="button" class="button small" onClick={load} aria-disabled={isLoading}>
        {t.load}
      </button>
    </div>
  )
}
