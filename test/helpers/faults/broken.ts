/**
 * Loaded into a broker's process before its own modules (`node --import`): takes away one of the things that keep a store in Redis whole, as BROKEN names
 * it. What judges the nodes has to notice each.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Journal } from '../../../broker/store/redis/journal.js'
import { RedisLogs } from '../../../broker/store/redis/logs.js'
import { COMPILED_CLI } from '../command.js'

export type Broken = 'repeat' | 'repair' | 'fence' | 'guards'

/** Lines of the scripts, and what is in their place: of repetitions, of what is owned by a node, of what was decided on. */
const LINES: Readonly<Partial<Record<Broken, readonly (readonly [file: string, line: RegExp, other: string])[]>>> = {
  repeat: [['commit.lua', /^if call\('HGET', ANSWER, 'request'\).*$/m, '']],
  fence: [['commit.lua', /^ {4}if holds and \(\(expected == '1'\).*$/m, '']],
  guards: [
    ['guards.lua', /^local function has_changed\(guard, at\)$/m, '$&\n  if true then return false end'],
    ['tables.lua', /^local function has_room\(.*\)$/m, '$&\n  if true then return true end'],
  ],
}

/** What makes a broker's process a broken one. */
export function brokenBy(broken: Broken): Record<string, string> {
  // A bundle of the command would have modules of its own.
  return { BROKEN: broken, NODE_OPTIONS: `--import=${import.meta.url}`, TEST_CLI: COMPILED_CLI }
}

function breakScripts(lines: NonNullable<(typeof LINES)[Broken]>): void {
  const read = fs.readFileSync
  const readBroken = (...args: Parameters<typeof read>): unknown => {
    const text = read(...args)
    const broken = lines.filter(([file]) => String(args[0]).endsWith(`/lua/${file}`))
    if (broken.length === 0) return text
    return broken.reduce((whole, [file, line, other]) => {
      if (!line.test(whole)) throw new Error(`lua/${file} has no such line: ${line}`)
      return whole.replace(line, other)
    }, String(text))
  }
  fs.readFileSync = readBroken as typeof read
  syncBuiltinESMExports()
}

/** Commits that were not heard of count as read. */
function breakRepair(): void {
  Journal.prototype.between = async () => []
  RedisLogs.prototype.repair = async () => {}
}

const broken = process.env['BROKEN'] as Broken | undefined
if (broken === 'repair') breakRepair()
else if (broken) breakScripts(LINES[broken]!)
