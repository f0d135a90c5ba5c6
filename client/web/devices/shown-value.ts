import { plainLine } from '../ui/plain.js'
import { deviceTexts } from './texts.js'

/** Any JSON on one line. */
export function shownValue(value: unknown): string {
  const t = deviceTexts.value
  if (value === true) return t.yes
  if (value === false) return t.no
  if (value === null || value === undefined) return '–'
  return plainLine(typeof value === 'string' ? value : JSON.stringify(value), '–')
}
