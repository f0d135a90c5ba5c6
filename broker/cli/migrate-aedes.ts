/** `topictalk migrate --from aedes-redis`: takes over what an Aedes kept with aedes-persistence-redis. */
import { existsSync, readFileSync } from 'node:fs'
import type { Config } from '../../schemas/config.js'
import { ANONYMOUS } from '../../schemas/ids.js'
import { type TakenOver, takeOver } from '../store/stock/take-over.js'
import { openStock, openStore } from '../wiring/storage.js'
import { printError, printLine } from './output.js'
import { CommandError } from './report.js'
import { ensureDataDir } from './settings.js'

/** What `--from` is. */
export const AEDES = 'aedes-redis'
const FILE = 'file:'

export async function migrateAedes(config: Config, url: string | undefined, userFrom = ANONYMOUS): Promise<void> {
  if (url === undefined)
    throw new CommandError(`--url: needed with --from ${AEDES}: the address of its Redis, such as redis://host:6379/0`)
  const userOf = userMapping(userFrom)
  const onFault = (error: unknown): void => printError(`topictalk: ${(error as Error).message}`)
  const stock = await openStock(config, url, onFault)
  try {
    if (config.store.driver === 'level') ensureDataDir(config)
    const { store } = await openStore(config, { onFault })
    try {
      printLine(`from an Aedes on ${stock.about}`)
      printLine(`to ${store.about}`)
      const { sessionExpiry: expiry, clientIdBytes, queueMessages, queueBytes } = config.limits
      const limits = { queueMessages, queueBytes }
      const result = await takeOver(stock, store, { userOf, expiry, clientIdBytes, limits, told: show })
      clearLine()
      for (const line of reportOf(result)) printLine(line)
      printLine(loginText(userFrom))
    } finally {
      await store.close()
    }
  } finally {
    await stock.close()
  }
}

/** By client id; null: no user. */
function userMapping(userFrom: string): (clientId: string) => string | null {
  if (userFrom === ANONYMOUS) return () => ANONYMOUS
  if (userFrom === 'client-id') return (clientId) => clientId
  if (!userFrom.startsWith(FILE))
    throw new CommandError(`--user-from: expected ${ANONYMOUS}, client-id or ${FILE}PATH, got ${userFrom}`)
  const users = readUsers(userFrom.slice(FILE.length))
  return (clientId) => users.get(clientId) ?? null
}

function readUsers(path: string): ReadonlyMap<string, string> {
  const expected = `--user-from: expected a JSON file such as {"client id": "user"}`
  if (!existsSync(path)) throw new CommandError(`--user-from: there is no file ${path}`)
  let found: unknown
  try {
    found = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new CommandError(`${expected}: ${(error as Error).message}`)
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new CommandError(expected)
  const entries = Object.entries(found)
  if (entries.some(([, user]) => typeof user !== 'string')) throw new CommandError(expected)
  return new Map(entries as [string, string][])
}

function reportOf({ taken, left }: TakenOver): string[] {
  const rows = (counts: ReadonlyMap<string, number>): string[] =>
    [...counts].map(([what, count]) => `${String(count).padStart(9)}  ${what}`)
  return [
    'taken over:',
    ...(taken.size > 0 ? rows(taken) : ['nothing']),
    ...(left.size > 0 ? ['not taken over:', ...rows(left)] : []),
  ]
}

function loginText(userFrom: string): string {
  if (userFrom === ANONYMOUS)
    return `its clients find their sessions as ${ANONYMOUS}: set auth.anonymous: true, and acl.rules for the topics they use`
  const who = userFrom === 'client-id' ? 'the user of the name of their client id' : 'the user that the file names'
  return `its clients find their sessions when they log in as ${who}; acl.rules have to allow the topics they use`
}

function show({ taken }: TakenOver): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[K${[...taken].map(([what, count]) => `${what} ${count}`).join(', ')}`)
}

function clearLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}
