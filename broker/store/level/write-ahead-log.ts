/**
 * Checks LevelDB's write-ahead log before LevelDB opens it (format: google/leveldb, doc/log_format.md), as LevelDB
 * silently skips what it cannot read, and acknowledged writes would be lost unnoticed. A log that merely ends within a
 * record is normal after a crash.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const BLOCK = 32_768
const HEADER = 7
/** Types of records: full, first, middle, last; 0 is padding. */
const LAST_TYPE = 4

export interface LogDamage {
  readonly file: string
  /** Bytes from the beginning of the file. */
  readonly offset: number
}

/** The first damaged record of each log in the directory. */
export async function damagedLogs(directory: string): Promise<LogDamage[]> {
  const files = (await readdir(directory)).filter((name) => /^\d+\.log$/.test(name)).sort()
  const damages: LogDamage[] = []
  for (const file of files) {
    const offset = firstDamage(await readFile(join(directory, file)))
    if (offset !== null) damages.push({ file, offset })
  }
  return damages
}

/** Offset of the first unreadable record; null: there is none. */
export function firstDamage(log: Buffer): number | null {
  for (let start = 0; start < log.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, log.length)
    for (let at = start; at + HEADER <= end; ) {
      const length = log.readUInt16LE(at + 4)
      if (isFiller(log, at)) {
        if (!isZero(log, at, end)) return at
        break
      }
      if (at + HEADER + length > end) {
        // An incomplete write by a process that died, if nothing valid follows.
        const torn = end === log.length && start + BLOCK >= at + HEADER + length && !recordIn(log, at + 1, end)
        if (!torn) return at
        break
      }
      if (!isSound(log, at, length)) return at
      at += HEADER + length
    }
  }
  return null
}

function isFiller(log: Buffer, at: number): boolean {
  return log.readUInt32LE(at) === 0 && log.readUInt16LE(at + 4) === 0 && log[at + 6] === 0
}

function isZero(log: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (log[i] !== 0) return false
  return true
}

function isSound(log: Buffer, at: number, length: number): boolean {
  const type = log[at + 6]!
  return type >= 1 && type <= LAST_TYPE && masked(crc32c(log, at + 6, at + HEADER + length)) === log.readUInt32LE(at)
}

/** Whether a valid record begins anywhere in the range. */
function recordIn(log: Buffer, from: number, to: number): boolean {
  for (let at = from; at + HEADER <= to; at++) {
    const length = log.readUInt16LE(at + 4)
    if (at + HEADER + length <= to && isSound(log, at, length)) return true
  }
  return false
}

/** Checksums of data that contains checksums are stored masked. */
function masked(crc: number): number {
  return ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) >>> 0
}

/** CRC-32C (RFC 3720, appendix B.4), per byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

function crc32c(bytes: Buffer, from: number, to: number): number {
  let crc = 0xffffffff
  for (let i = from; i < to; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
