/**
 * Makes text from clients safe to log: short, on one line, without terminal control sequences and without secrets.
 * Names, topics and reasons come from outside, also from clients that have not logged in.
 */

import { onOneLine } from '../../schemas/terminal-text.js'

/** Longest text in characters; error messages and stacks may be longer. */
const MAX_TEXT = 200
const MAX_MESSAGE = 1000
const MAX_STACK = 4000
/** Most entries of a list, and the deepest level of a nested value, that are logged. */
const MAX_ITEMS = 20
const MAX_DEPTH = 4

/**
 * Secrets made by the broker (`auth/secrets.ts`) and signed tokens [RFC 7515, 7.1], anywhere in a text: only eight
 * characters are kept.
 */
const SECRETS = /\b(tt[a-z]\.[\w-]{4}|eyJ[\w-]{5})[\w.-]{8,}/g

/** A client's text for one line of the log. */
function logText(text: string, most = MAX_TEXT): string {
  // Searched a little beyond the cut: a secret cut in two would not be recognised.
  const seen = text.length > most * 2 ? text.slice(0, most * 2) : text
  const shown = onOneLine(seen.replace(SECRETS, '$1…'))
  return shown.length > most || seen.length < text.length
    ? `${shown.slice(0, most)}… (${text.length} characters)`
    : shown
}

/** The fields of a log line, with `logText` applied to every string. */
export function logFields(fields: Record<string, unknown>): Record<string, unknown> {
  // Errors have a serializer of their own.
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
