/** A server that is sent each file, and answers whether it may be served. */
import { createReadStream } from 'node:fs'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { askEndpoint } from '../../auth/endpoint.js'
import type { ScanVerdict } from '../../chat/files/file-verdicts.js'
import { signedHeaders } from '../../util/signature.js'
import { uuid7 } from '../../util/uuid7.js'
import type { ScannedFile, Scanner } from './scanner.js'

/** Type of the event that asks. */
const SCAN = 'file.scan'
/** Header with the question, as the bytes are the body. */
const QUESTION = 'topictalk-question'
const MAX_BYTES = 65_536

const checkAnswer = Compile(
  Type.Union([
    Type.Object({ action: Type.Literal('allow') }),
    Type.Object({ action: Type.Literal('block'), reason: Type.Optional(Type.String()) }),
  ]),
)

export class HttpScanner implements Scanner {
  readonly #url: string
  readonly #secrets: readonly string[]

  /** @param secret Null: questions are not signed */
  constructor(url: string, secret: string | null) {
    this.#url = url
    this.#secrets = secret === null ? [] : [secret]
  }

  async scan(file: ScannedFile, path: string, timeout: number): Promise<ScanVerdict> {
    const id = uuid7()
    const question = ascii(JSON.stringify({ id, type: SCAN, ts: Date.now(), data: file }))
    const headers = {
      ...signedHeaders(this.#secrets, id, Buffer.from(question)),
      [QUESTION]: question,
      'content-type': 'application/octet-stream',
    }
    const body = createReadStream(path)
    // It may fail before it is read, which tells of it then.
    body.on('error', () => {})
    try {
      const { status, text } = await askEndpoint(this.#url, {
        method: 'POST',
        headers,
        body,
        timeout,
        maxBytes: MAX_BYTES,
      })
      return verdictOf(status, text)
    } finally {
      body.destroy()
    }
  }
}

function verdictOf(status: number, text: string): ScanVerdict {
  if (status === 204) return { clean: true }
  if (status !== 200) throw new Error(`answered ${status}`)
  const answer = parsed(text)
  if (!checkAnswer.Check(answer)) throw new Error('answered with no verdict')
  return answer.action === 'allow' ? { clean: true } : { clean: false, reason: answer.reason ?? null }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** JSON for a header: names of files can have any characters. */
function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
