/** CRC-32 (IEEE 802.3), by zlib if this Node version has it (20.15 and later). */
import * as zlib from 'node:zlib'

const native = (zlib as { crc32?: (data: Uint8Array) => number }).crc32

export const checksum: (data: Uint8Array) => number = native ? (data) => native(data) : tableChecksum

let table: Uint32Array | null = null

/** In JavaScript, for early Node 20 releases. */
export function tableChecksum(data: Uint8Array): number {
  table ??= makeTable()
  let crc = 0xffffffff
  for (let i = 0; i < data.length; i++) crc = table[(crc ^ data[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1
    return value
  })
}
