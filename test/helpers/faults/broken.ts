/**
 * Loaded into a broker's process before its own modules (`node --import`): takes away one of the things that keep a store in Redis whole, as BROKEN names
 * it. What judges the nodes has to notice each.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Journal } from '../../../broker/store/redis/journal.js'
import { RedisLogs } from '../../../broker/store/redis/logs.js'

export type Broken = 'repeat' | 'repair'

/** Answers a request that was performed already. */
const REPEAT_CHECK = /^if call\('HGET', ANSWER, 'request'\).*$/m

/** What makes a broker's process a broken one. */
export function brokenBy(broken: Broken): Record<string, string> {
  return { BROKEN: broken, NODE_OPTIONS: `--import=${import.meta.url}` }
}

function breakRepeat(): void {
  const read = fs.readFileSync
  const readBroken = (...args: Parameters<typeof read>): unknown => {
    const text = read(...args)
    if (!String(args[0]).endsWith('/lua/commit.lua')) return text
    if (!REPEAT_CHECK.test(String(text))) throw new Error('lua/commit.lua has no such line')
    return String(text).replace(REPEAT_CHECK, '')
  }
  fs.readFileSync = readBroken as typeof read
  syncBuiltinESMExports()
}

/** Commits that were not heard of count as read. */
function breakRepair(): void {
  Journal.prototype.between = async () => []
  RedisLogs.prototype.repair = async () => {}
}

const broken = process.env['BROKEN']
if (broken === 'repair') breakRepair()
else if (broken === 'repeat') breakRepeat()
