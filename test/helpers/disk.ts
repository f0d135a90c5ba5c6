/** What is really on the disk of an embedded store. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'

/** Words that compression finds little in. */
export const secret = (): string => randomBytes(18).toString('base64url')

/** Which of the words are in any file, or a third of one: compression may have cut them. */
export async function found(directory: string, words: readonly string[]): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => /\.(log|ldb|sst)$/.test(name))
  const files = await Promise.all(names.map((name) => readFile(`${directory}/${name}`, 'latin1')))
  const pieces = (word: string): string[] => [word.slice(0, 8), word.slice(8, 16), word.slice(16)]
  return words.filter((word) => pieces(word).some((piece) => files.some((text) => text.includes(piece))))
}
