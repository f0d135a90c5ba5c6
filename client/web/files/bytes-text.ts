import { locale } from '../text/text.js'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** A size in the words of the language: 1.2 MB. */
export function bytesText(bytes: number): string {
  const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** step
  const format = {
    style: 'unit',
    unit: UNITS[step]!,
    unitDisplay: step > 0 ? 'short' : 'long',
    maximumFractionDigits: value < 10 ? 1 : 0,
  } as const
  return new Intl.NumberFormat(locale.value, format).format(value)
}
