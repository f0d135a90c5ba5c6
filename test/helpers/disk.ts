/** Searches what a store has on disk for text. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Text that compression cannot shorten much. */
export const secret = (): string => randomBytes(18).toString('base64url')

/** What the files of an embedded store hold. */
export async function filesIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => /\.(log|ldb|sst)$/.test(name))
  return Promise.all(names.map((name) => readFile(join(directory, name), 'latin1')))
}

/** The words of which the whole or a third is in any file: compression may have split them. */
export function found(files: readonly string[], words: readonly string[]): string[] {
  const pieces = (word: string): string[] => [word.slice(0, 8), word.slice(8, 16), word.slice(16)]
  return words.filter((word) => pieces(word).some((piece) => files.some((text) => text.includes(piece))))
}
