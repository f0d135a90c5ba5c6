/**
 * Upgrades a store in place, from the format that it has to the one of this version, step by step. While a step is under
 * way the store has a format of its own (`topictalk 1 to 2`), which no version takes for a finished one; the new format
 * is written last. Records are converted in pages, and a page and the position behind it are one write, so that an
 * upgrade that is interrupted anywhere continues there, and no record is converted twice.
 */
import { StoreError } from '../changes.js'
import { HOW_TO_MOVE } from '../moving/move.js'
import { type KeyRange, keys } from './keys.js'
import { type LevelDatabase, pagesOf, writeBatch } from './level-database.js'
import { WriteBatch } from './operation.js'

export interface UpgradeStep {
  /** A format is a name and a number: `topictalk 1`. */
  readonly from: string
  readonly to: string
  /** What is converted, for the log: `heads of logs`. */
  readonly what: string
  /** The records that are converted, in this order. */
  readonly ranges: readonly KeyRange[]
  /**
   * Stages what takes the place of a record. It is called once for each record that the range had when its page was
   * read, so it may write under any key that is not ahead in these ranges.
   */
  convert(key: string, value: Buffer, batch: WriteBatch): void
}

/** The format that a version reads, and the upgrades to it that it knows. */
export interface Formats {
  readonly current: string
  readonly steps: readonly UpgradeStep[]
}

/** What an upgrade says of itself: before it begins, while it lasts, and at its end. */
export interface UpgradeNotice {
  readonly stage: 'begins' | 'continues' | 'converting' | 'done'
  readonly from: string
  readonly to: string
  readonly what: string
  /** Records to be converted by this step, as far as they were counted: those that were left when it began. */
  readonly records: number
  readonly converted: number
}

export interface UpgradeOptions {
  readonly formats: Formats
  /** Null: an older store is refused, with the advice to start the broker. */
  readonly notice: ((notice: UpgradeNotice) => void) | null
}

/** How far a step has come. */
interface Position {
  /** Index in its ranges. */
  readonly range: number
  /** The last key converted; null: none of this range. */
  readonly after: string | null
}

const START: Position = { range: 0, after: null }
/** Most bytes of one page. */
const PAGE_BYTES = 1024 * 1024
/** Progress is told after so many records. */
const TOLD_EVERY = 100_000

/** The line of the log for a notice. */
export function upgradeText({ stage, from, to, what, records, converted }: UpgradeNotice): string {
  if (stage === 'begins')
    return `the store is upgraded from ${from} to ${to}: ${records} records (${what}). Older versions do not open it afterwards: to go back, a backup made before is needed`
  if (stage === 'continues')
    return `the upgrade of the store from ${from} to ${to} is continued: ${records} records are left`
  if (stage === 'converting') return `the store is being upgraded to ${to}: ${converted} of ${records} records`
  return `the store was upgraded from ${from} to ${to}: ${converted} records`
}

/** While a step is under way. */
function underWay({ from, to }: UpgradeStep): string {
  return `${from} to ${to.slice(to.lastIndexOf(' ') + 1)}`
}

/** Brings the store to the current format. @throws StoreError if that is not known, or not wanted. */
export async function upgrade(
  level: LevelDatabase,
  where: string,
  found: string,
  { formats, notice }: UpgradeOptions,
): Promise<void> {
  const steps = stepsFrom(found, formats)
  if (!steps || !notice) throw new StoreError(`${where}: ${adviceOn(found, formats)}`)
  for (const step of steps) await convert(level, step, found === underWay(step), notice)
}

/** Null: these formats do not lead to the current one. */
function stepsFrom(found: string, { current, steps }: Formats): UpgradeStep[] | null {
  const path: UpgradeStep[] = []
  for (let format = found; format !== current; format = path.at(-1)!.to) {
    const step = steps.find((one) => one.from === format || underWay(one) === format)
    if (!step) return null
    path.push(step)
  }
  return path
}

/** Of a store that is being moved to: no version takes it for a finished one. */
export const MOVING = 'topictalk moving'

/** What to do about a store of another format. */
export function adviceOn(found: string, formats: Formats): string {
  if (found === MOVING) return `a move to it is not complete: ${HOW_TO_MOVE}`
  const format = JSON.stringify(found)
  if (stepsFrom(found, formats))
    return (
      `the store has format ${format}; topictalk serve upgrades it to ${formats.current}. ` +
      'Copy the data directory first: older versions do not open it afterwards'
    )
  return (
    `the store has format ${format}, this version reads ${formats.current}. ` +
    'Start the version that wrote it, or start on a backup of an earlier one'
  )
}

async function convert(
  level: LevelDatabase,
  step: UpgradeStep,
  begun: boolean,
  notice: (notice: UpgradeNotice) => void,
): Promise<void> {
  const { from, to, what } = step
  let position = begun ? await readPosition(level) : START
  const records = await count(level, step, position)
  let converted = 0
  const tell = (stage: UpgradeNotice['stage']): void => notice({ stage, from, to, what, records, converted })
  tell(begun ? 'continues' : 'begins')
  if (!begun) await writeBatch(level, formatOf(underWay(step), JSON.stringify(START)), true)
  for (; position.range < step.ranges.length; position = { range: position.range + 1, after: null }) {
    const range = step.ranges[position.range]!
    for await (const page of pagesAfter(level, range, position.after)) {
      const batch = new WriteBatch()
      for (const [key, value] of page) step.convert(key, value, batch)
      batch.put(keys.upgrading, JSON.stringify({ range: position.range, after: page.at(-1)![0] } satisfies Position))
      // Written in order: what a crash of the machine takes away is the end of it, with its positions.
      await writeBatch(level, batch, false)
      const told = Math.floor(converted / TOLD_EVERY)
      converted += page.length
      if (Math.floor(converted / TOLD_EVERY) > told) tell('converting')
    }
  }
  await writeBatch(level, formatOf(to, null), true)
  tell('done')
}

/** The write that changes the format, and what is known of the position. */
function formatOf(format: string, position: string | null): WriteBatch {
  const batch = new WriteBatch()
  if (position === null) batch.del(keys.upgrading)
  else batch.put(keys.upgrading, position)
  batch.put(keys.format, format)
  return batch
}

async function readPosition(level: LevelDatabase): Promise<Position> {
  const stored = await level.get(keys.upgrading)
  return stored === undefined ? START : JSON.parse(stored.toString())
}

async function count(level: LevelDatabase, { ranges }: UpgradeStep, { range, after }: Position): Promise<number> {
  let records = 0
  for (let i = range; i < ranges.length; i++) {
    const left = level.keys(behind(ranges[i]!, i === range ? after : null))
    for await (const page of pagesOf(left)) records += page.length
  }
  return records
}

/** The records of a range as it is now: not those that the upgrade adds. */
function pagesAfter(level: LevelDatabase, range: KeyRange, after: string | null): AsyncGenerator<[string, Buffer][]> {
  return pagesOf(level.iterator({ ...behind(range, after), highWaterMarkBytes: PAGE_BYTES } as object))
}

function behind({ gte, lt }: KeyRange, after: string | null): KeyRange {
  return after === null ? { gte, lt } : { gte: keys.behind(after), lt }
}
