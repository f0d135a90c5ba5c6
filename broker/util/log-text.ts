/**
 * What clients wrote, as it may stand in a log: short, one line, without what steers a terminal, and without secrets. Names, topics and reasons
 * come from outside, from people who have not logged in too.
 */

import { onOneLine } from '../../schemas/terminal-text.js'

/** Most characters of one text; the reason for an error may be longer. */
const MAX_TEXT = 200
const MAX_MESSAGE = 1000
const MAX_STACK = 4000
/** Most entries of a list, and how deep a value is looked into. */
const MAX_ITEMS = 20
const MAX_DEPTH = 4

/** Secrets of ours (`auth/secrets.ts`) and signed tokens [RFC 7515, 7.1], wherever they stand in a text: eight characters are shown. */
const SECRETS = /\b(tt[a-z]\.[\w-]{4}|eyJ[\w-]{5})[\w.-]{8,}/g

/** A text of a client for one line of the log. */
function logText(text: string, most = MAX_TEXT): string {
  // Looked at a little beyond the cut: a secret must not lose the end by which it is known.
  const seen = text.length > most * 2 ? text.slice(0, most * 2) : text
  const shown = onOneLine(seen.replace(SECRETS, '$1…'))
  return shown.length > most || seen.length < text.length
    ? `${shown.slice(0, most)}… (${text.length} characters)`
    : shown
}

/** The fields of a line, every text in it by `logText`. */
export function logFields(fields: Record<string, unknown>): Record<string, unknown> {
  // An error has a serializer of its own.
  const entries = Object.entries(fields)
  return Object.fromEntries(
    entries.map(([key, value]) => [logText(key), value instanceof Error ? value : logValue(value, 0)]),
  )
}

function logValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return logText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === MAX_DEPTH) return '…'
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => logValue(item, depth + 1))
  const entries = Object.entries(value).slice(0, MAX_ITEMS)
  return Object.fromEntries(entries.map(([key, item]) => [logText(key), logValue(item, depth + 1)]))
}

/** What is logged of anything thrown. */
export function logError(error: unknown): unknown {
  if (!(error instanceof Error)) return logValue(error, 0)
  const { code, cause, stack = '' } = error as NodeJS.ErrnoException
  return {
    type: error.name,
    message: logText(error.message, MAX_MESSAGE),
    ...(code === undefined ? {} : { code }),
    stack: stack
      .split('\n')
      .map((line) => logText(line, MAX_MESSAGE))
      .join('\n')
      .slice(0, MAX_STACK),
    ...(cause === undefined
      ? {}
      : { cause: cause instanceof Error ? logText(cause.message, MAX_MESSAGE) : logValue(cause, 1) }),
  }
}
