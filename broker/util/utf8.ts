/** Encodes short texts as UTF-8 in a loop: for them that is faster than a call into native code. */

/** Longer texts are encoded natively. */
const SHORT = 64
/** Most bytes of UTF-8 per UTF-16 code unit. */
export const BYTES_PER_UNIT = 3

/** Writes a text and returns the offset behind it. The caller makes sure that it fits. */
export function writeText(into: Buffer, text: string, at: number): number {
  if (text.length > SHORT) return at + into.write(text, at)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return at + i + into.write(text.slice(i), at + i)
    into[at + i] = code
  }
  return at + text.length
}
