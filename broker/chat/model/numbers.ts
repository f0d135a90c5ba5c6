/** Refuses numbers in JSON that cannot be represented exactly. */
import { Refusal } from '../../../schemas/errors.js'

/** Quick check, false for nearly all JSON: sixteen digits in a row, or an exponent. */
const SUSPECT = /\d{16}|\d[eE]/
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g

/**
 * Refuses integers that no double represents (9007199254740993) and numbers out of range (1e400), because another value would be stored.
 * Fractions are rounded to the nearest double, as everywhere.
 */
export function requireExactNumbers(json: string): void {
  const found = inexactNumber(json)
  if (!found) return
  const { token, field } = found
  const shown = token.length > 40 ? `${token.slice(0, 40)}…` : token
  throw new Refusal('bad_request', `${shown} cannot be kept exactly; send it as a text, in quotes`, { field })
}

/** The first inexact number, and the key before it. */
export function inexactNumber(json: string): { token: string; field: string | undefined } | null {
  if (!SUSPECT.test(json)) return null
  let key: string | null = null
  for (const { 0: token, index } of json.matchAll(TOKENS)) {
    if (token.startsWith('"')) {
      if (/^\s*:/.test(json.slice(index + token.length, index + token.length + 8))) key = token
    } else if (!isExact(token)) return { token, field: key === null ? undefined : (JSON.parse(key) as string) }
  }
  return null
}

function isExact(token: string): boolean {
  const value = Number(token)
  if (!Number.isFinite(value)) return false
  if (value === 0) return !/[1-9]/.test(token.split(/[eE]/)[0]!)
  return !/^-?\d+$/.test(token) || BigInt(token) === BigInt(value)
}
