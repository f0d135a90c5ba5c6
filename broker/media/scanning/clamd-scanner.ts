/** clamd, the daemon of ClamAV: the bytes are streamed to it, so that it may run on another machine (`INSTREAM` of clamd(8)). */
import { open } from 'node:fs/promises'
import net from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { ScanVerdict } from '../../chat/files/file-verdicts.js'
import type { ScannedFile, Scanner } from './scanner.js'

/** Bytes of a chunk of the stream. */
const CHUNK = 65_536
/** Longest answer, in bytes. */
const MOST_ANSWER = 4096

export class ClamdScanner implements Scanner {
  readonly #address: net.NetConnectOpts

  /** @param address The path of its socket, or `host:port` */
  constructor(address: string) {
    const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(address) ?? []
    this.#address = host === undefined ? { path: address } : { host, port: Number(port) }
  }

  async scan(_file: ScannedFile, path: string, timeout: number): Promise<ScanVerdict> {
    const socket = net.connect(this.#address)
    const late = (): void => void socket.destroy(new Error(`clamd did not answer within ${timeout} s`))
    const timer = setTimeout(late, timeout * 1000)
    try {
      const answer = textOf(socket)
      // It may answer, and close, before it has all of it: the answer counts.
      pipeline(stream(path), socket, { end: false }).catch((error: unknown) => socket.destroy(error as Error))
      return verdictOf(await answer)
    } finally {
      clearTimeout(timer)
      socket.destroy()
    }
  }
}

/** The command, then chunks with their length before them; one of none ends it. */
async function* stream(path: string): AsyncGenerator<Buffer> {
  yield Buffer.from('zINSTREAM\0')
  const file = await open(path)
  for await (const chunk of file.createReadStream({ highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
    yield lengthOf(chunk.length)
    yield chunk
  }
  yield lengthOf(0)
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

async function textOf(socket: net.Socket): Promise<string> {
  let text = ''
  for await (const piece of socket as AsyncIterable<Buffer>) {
    text += piece.toString('utf8')
    if (text.includes('\0') || text.length > MOST_ANSWER) break
  }
  return text.split('\0')[0]!.trim()
}

function verdictOf(answer: string): ScanVerdict {
  if (answer === 'stream: OK') return { clean: true }
  const [, found] = /^stream: (.+) FOUND$/.exec(answer) ?? []
  if (found !== undefined) return { clean: false, reason: found }
  throw new Error(`clamd answered ${JSON.stringify(answer)}`)
}
