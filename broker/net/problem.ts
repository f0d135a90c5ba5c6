import { ERRORS, type ErrorCode } from '../../schemas/errors.js'

/** A whole HTTP response. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** An RFC 9457 problem document; `status` and `title` come from the table of errors unless HTTP itself has a better status. */
export function problem(code: ErrorCode, detail: string, status: number = ERRORS[code].status): Answer {
  const body = `${JSON.stringify({ title: ERRORS[code].title, status, code, detail })}\n`
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  return { status, headers, body }
}
