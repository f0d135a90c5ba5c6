/** Reads a BlurHash (https://github.com/woltapp/blurhash/blob/master/Algorithm.md): cosines in linear light, their factors written in base 83. */

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~'

type Colour = readonly [number, number, number]

/** A square of pixels (RGBA), `side` wide; null: it is no hash. */
export function pixelsOf(hash: string, side: number): Uint8ClampedArray<ArrayBuffer> | null {
  const factors = factorsOf(hash)
  if (!factors) return null
  const { columns, colours } = factors
  const pixels = new Uint8ClampedArray(side * side * 4)
  const waves = Array.from({ length: 9 }, (_, n) =>
    Array.from({ length: side }, (_, at) => Math.cos((Math.PI * n * at) / side)),
  )
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const sums = [0, 0, 0]
      for (const [n, colour] of colours.entries()) {
        const weight = waves[n % columns]![x]! * waves[Math.floor(n / columns)]![y]!
        for (const [part, value] of colour.entries()) sums[part]! += value * weight
      }
      pixels.set([...sums.map(toByte), 255], (y * side + x) * 4)
    }
  return pixels
}

/** Of the cosines, row by row; the first is the mean. */
function factorsOf(hash: string): { columns: number; colours: Colour[] } | null {
  const size = numberIn(hash, 0, 1)
  const columns = (size % 9) + 1
  const count = columns * (Math.floor(size / 9) + 1)
  if (size < 0 || size > 80 || hash.length !== 4 + 2 * count) return null
  const largest = (numberIn(hash, 1, 2) + 1) / 166
  const mean = numberIn(hash, 2, 6)
  const colours: Colour[] = [[toLinear(mean >> 16), toLinear((mean >> 8) & 255), toLinear(mean & 255)]]
  for (let n = 1; n < count; n++) {
    const value = numberIn(hash, 4 + n * 2, 6 + n * 2)
    const parts = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((part) => {
      const signed = (part - 9) / 9
      return Math.sign(signed) * signed * signed * largest
    })
    colours.push(parts as unknown as Colour)
  }
  return { columns, colours }
}

/** Below 0 if a digit is none. */
function numberIn(hash: string, from: number, to: number): number {
  return [...hash.slice(from, to)].reduce((sum, digit) => {
    const value = DIGITS.indexOf(digit)
    return sum < 0 || value < 0 ? -1 : sum * 83 + value
  }, 0)
}

function toLinear(byte: number): number {
  const part = byte / 255
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}

function toByte(linear: number): number {
  const part = Math.min(1, Math.max(0, linear))
  return Math.round((part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055) * 255)
}
