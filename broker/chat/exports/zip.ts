/** A zip file as a stream: pieces are compressed as they are read. */
import { Zip, ZipDeflate } from 'fflate'
import type { ExportFile } from './account-files.js'

/** Fast, because compression blocks the event loop. */
const LEVEL = 3

export async function* zipped(files: AsyncIterable<ExportFile>): AsyncGenerator<Buffer> {
  const ready: Buffer[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    if (chunk.length > 0) ready.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
  })
  for await (const { name, text } of files) {
    const file = new ZipDeflate(name, { level: LEVEL })
    zip.add(file)
    for await (const piece of text) {
      file.push(Buffer.from(piece))
      yield* ready.splice(0)
    }
    file.push(new Uint8Array(), true)
    yield* ready.splice(0)
  }
  zip.end()
  yield* ready
}
