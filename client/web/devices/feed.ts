/** What a device has told since its page was opened: its state, and what it has measured. */
import { type Signal, signal } from '@preact/signals'
import { type Chat, type DeviceNews, followDevice } from '../../index.js'

export interface Point {
  /** Unix ms. */
  readonly ts: number
  readonly value: number
}

export interface Series {
  readonly name: string
  readonly points: readonly Point[]
  /** What was told last, if it is no number. */
  readonly other: { readonly ts: number; readonly value: unknown } | null
}

export interface Told {
  /** Null: none was told. */
  readonly state: unknown
  /** By name. */
  readonly series: readonly Series[]
}

/** Of a series: the oldest are given up. */
const MOST_POINTS = 300
/** Ms by which the clock of a device may be fast. */
const FAST = 60_000
/** A device that has more of them shows the first ones. */
const MOST_SERIES = 40

const NOTHING: Told = { state: null, series: [] }

export class DeviceFeed {
  readonly told: Signal<Told> = signal(NOTHING)
  readonly #stop: () => void
  readonly #series = new Map<string, Series>()
  #state: unknown = null
  #frame: number | null = null

  constructor(chat: Chat, device: string) {
    this.#stop = followDevice(chat, device, (news) => this.#take(news))
  }

  dispose(): void {
    this.#stop()
    if (this.#frame !== null) cancelAnimationFrame(this.#frame)
  }

  #take(news: DeviceNews | null): void {
    // Who may not read it is told so where the device is asked for.
    if (!news) return
    if (news.topic === 'state') this.#state = news.value
    else for (const [name, ts, value] of measured(news)) this.#add(name, ts, value)
    // However much it tells, it is shown once a frame.
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null
      this.told.value = { state: this.#state, series: [...this.#series.values()] }
    })
  }

  #add(name: string, ts: number, value: unknown): void {
    const known = this.#series.get(name) ?? { name, points: [], other: null }
    if (known.points.length === 0 && known.other === null && this.#series.size >= MOST_SERIES) return
    this.#series.set(
      name,
      typeof value === 'number' ? withPoint(known, { ts, value }) : { ...known, other: { ts, value } },
    )
  }
}

/** In the order of time; of one moment the last one. */
function withPoint(series: Series, point: Point): Series {
  const { points } = series
  const after = points.findLastIndex(({ ts }) => ts <= point.ts)
  const isAgain = points[after]?.ts === point.ts
  const all = [...points.slice(0, isAgain ? after : after + 1), point, ...points.slice(after + 1)]
  return { ...series, points: all.slice(-MOST_POINTS), other: null }
}

/** As the SDK of devices tells it, with its time; of others a number, or an object with several. */
function measured({ topic, value }: DeviceNews): [name: string, ts: number, value: unknown][] {
  const name = topic.replace(/^telemetry\//, '')
  const now = Date.now()
  if (!isRecord(value)) return [[name, now, value]]
  if ('value' in value) return [[name, timeOf(value['ts'], now), value['value']]]
  const numbers = Object.entries(value).filter(([, one]) => typeof one === 'number')
  if (numbers.length === 0) return [[name, now, value]]
  return numbers.map(([key, one]) => [`${name}/${key}`, now, one])
}

/** What a device takes for the time may be anything: a point far in the future would stay the last one for good. */
function timeOf(ts: unknown, now: number): number {
  return typeof ts === 'number' && ts >= 0 && ts <= now + FAST ? ts : now
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
