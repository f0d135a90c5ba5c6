/** Refusals over HTTP: problem documents (RFC 9457). */
import Type, { type Static } from 'typebox'
import { ERRORS, type ErrorBody, type ErrorCode } from './errors.js'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

export const Problem = Type.Object(
  {
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer({ description: 'HTTP status.' }),
    code: Type.Enum(Object.keys(ERRORS) as ErrorCode[], { description: 'The same codes as in replies over MQTT.' }),
    detail: Type.String({ description: 'What is wrong, in words.' }),
    field: Type.Optional(Type.String({ description: 'The parameter that is wrong, as a dotted path.' })),
    retryAfter: Type.Optional(Type.Number({ description: 'Seconds to wait before trying again.' })),
  },
  { title: 'Problem', additionalProperties: false, description: 'Why a request was refused (RFC 9457).' },
)
export type Problem = Static<typeof Problem>

/** `status` if HTTP has a more specific one than the table of errors. */
export function problemOf({ code, message, ...rest }: ErrorBody, status: number = ERRORS[code].status): Problem {
  return { title: ERRORS[code].title, status, code, detail: message, ...rest }
}
