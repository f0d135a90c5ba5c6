import { readFileSync } from 'node:fs'

/**
 * The version in package.json, which is two levels above the compiled file both in a clone and in an installed package.
 */
export function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
