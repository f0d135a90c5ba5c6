import { useComputed } from '@preact/signals'
import { locale } from '../text/text.js'
import { Name } from '../ui/name.js'
import { clockOf } from '../ui/times.js'
import type { Series } from './feed.js'
import { HEIGHT, plotOf, WIDTH } from './plot.js'
import { shownValue } from './shown-value.js'
import { deviceTexts } from './texts.js'

/** Rows of the table of values. */
const ROWS = 30

/** One thing that a device measures: its last value, how it went, and the values as a table. */
export function SeriesCard({ series: { name, points, other } }: { series: Series }) {
  const format = useComputed(() => formatIn(locale.value)).value
  const last = points.at(-1)
  const at = other?.ts ?? last?.ts
  return (
    <li class="series">
      <h3>
        <Name text={name} fallback="?" />
      </h3>
      <p class="series-last">
        <bdi>{other || !last ? shownValue(other?.value) : format(last.value)}</bdi>
        {at !== undefined && <time dateTime={new Date(at).toISOString()}>{deviceTexts.value.at(clockOf(at))}</time>}
      </p>
      {points.length > 0 && <Chart name={name} points={points} format={format} />}
    </li>
  )
}

/** A small value keeps its digits, and one of many digits has a power of ten, so that it is one line. */
function formatIn(language: string): (value: number) => string {
  const usual = new Intl.NumberFormat(language, { maximumFractionDigits: 3 })
  const small = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 })
  const power = new Intl.NumberFormat(language, { notation: 'scientific', maximumSignificantDigits: 4 })
  return (value) => {
    const size = Math.abs(value)
    if (size >= 1e12 || (size > 0 && size < 1e-6)) return power.format(value)
    return (size < 0.1 ? small : usual).format(value)
  }
}

interface ChartProps {
  readonly name: string
  readonly points: Series['points']
  readonly format: (value: number) => string
}

function Chart({ name, points, format }: ChartProps) {
  const t = deviceTexts.value
  const { path, least, most, from, to } = plotOf(points)
  const last = format(points.at(-1)!.value)
  const said = t.chart(name, last, format(least), format(most), points.length, clockOf(from), clockOf(to))
  return (
    <>
      <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={said}>
        <path d={path} />
      </svg>
      <p class="chart-axis">
        <bdi>{clockOf(from)}</bdi>
        <bdi>{t.range(format(least), format(most))}</bdi>
        <bdi>{clockOf(to)}</bdi>
      </p>
      <details class="filters">
        <summary>{t.values}</summary>
        <table class="values">
          <thead>
            <tr>
              <th scope="col">{t.time}</th>
              <th scope="col">{t.value}</th>
            </tr>
          </thead>
          <tbody>
            {points
              .slice(-ROWS)
              .reverse()
              .map(({ ts, value }) => (
                <tr key={ts}>
                  <td>{clockOf(ts)}</td>
                  <td>{format(value)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </>
  )
}
