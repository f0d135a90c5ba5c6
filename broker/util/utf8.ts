/** Short texts as UTF-8, by a loop: for them it costs less than a call into the engine. */

/** Longer texts are for the engine to encode. */
const SHORT = 64
/** UTF-8 bytes of a UTF-16 code unit, at most. */
export const BYTES_PER_UNIT = 3

/** Writes a text, for which there is room, and returns the place behind it. */
export function writeText(into: Buffer, text: string, at: number): number {
  if (text.length > SHORT) return at + into.write(text, at)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return at + i + into.write(text.slice(i), at + i)
    into[at + i] = code
  }
  return at + text.length
}
