/** Cuts a stream of Redis' protocol (RESP3) into frames: requests, replies and pushes. */

/** Types whose header is followed by so many bytes, or so many frames. */
const BYTES = '$=!'
const FRAMES: Record<string, number> = { '*': 1, '~': 1, '>': 1, '%': 2, '|': 2 }

export class RespFrames {
  #rest: Buffer = Buffer.alloc(0)

  /** The frames that are complete now, each with all its parts. */
  take(chunk: Buffer): Buffer[] {
    const bytes = Buffer.concat([this.#rest, chunk])
    const frames: Buffer[] = []
    let start = 0
    for (let end = endOf(bytes, 0); end !== null; end = endOf(bytes, start)) {
      frames.push(bytes.subarray(start, end))
      start = end
    }
    this.#rest = bytes.subarray(start)
    return frames
  }
}

/** Where the frame at `start` ends; null: it is not complete. */
function endOf(bytes: Buffer, start: number): number | null {
  const line = bytes.indexOf('\r\n', start)
  if (line === -1) return null
  const type = String.fromCharCode(bytes[start]!)
  const body = line + 2
  if (BYTES.includes(type)) {
    const length = Number(bytes.toString('latin1', start + 1, line))
    const end = length < 0 ? body : body + length + 2
    return end <= bytes.length ? end : null
  }
  return endOfParts(bytes, body, (FRAMES[type] ?? 0) * Number(bytes.toString('latin1', start + 1, line)), type)
}

function endOfParts(bytes: Buffer, body: number, count: number, type: string): number | null {
  let end: number | null = body
  // Attributes come before the frame that they are about.
  for (let left = count + (type === '|' ? 1 : 0); left > 0 && end !== null; left--) end = endOf(bytes, end)
  return end
}

/** Texts of a push of a channel: `['message', channel, text]`; null: it is none. */
export function pushOf(frame: Buffer): string[] | null {
  if (frame[0] !== 0x3e) return null
  const texts: string[] = []
  for (let at = frame.indexOf('\r\n') + 2; at < frame.length; at = endOf(frame, at)!) {
    const body = frame.indexOf('\r\n', at) + 2
    texts.push(frame.toString('latin1', body, endOf(frame, at)! - 2))
  }
  return texts
}
