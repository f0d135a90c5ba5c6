/** Searches the files of an embedded store for text. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** Text that compression cannot shorten much. */
export const secret = (): string => randomBytes(18).toString('base64url')

/** The words of which the whole or a third is in any file: compression may have split them. */
export async function found(directory: string, words: readonly string[]): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => /\.(log|ldb|sst)$/.test(name))
  const files = await Promise.all(names.map((name) => readFile(`${directory}/${name}`, 'latin1')))
  const pieces = (word: string): string[] => [word.slice(0, 8), word.slice(8, 16), word.slice(16)]
  return words.filter((word) => pieces(word).some((piece) => files.some((text) => text.includes(piece))))
}
