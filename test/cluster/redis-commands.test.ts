/** The command line on a store in Redis, where no broker runs on this machine. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CLI } from '../helpers/command.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command in an empty directory. */
async function commandLine(t: Test, { url }: RedisServer): Promise<(...words: string[]) => Promise<Outcome>> {
  const cwd = await mkdtemp(join(tmpdir(), 'tt-'))
  t.teardown(() => rm(cwd, { recursive: true, force: true }))
  const settings = [
    'store.driver=redis',
    `store.redis.url=${url}`,
    'auth.jwt.secret=one secret for all nodes of the test',
  ]
  const sets = settings.flatMap((setting) => ['--set', setting])
  const { NODE_OPTIONS: _, ...env } = process.env
  return (...words) =>
    new Promise((resolve) => {
      const child = execFile(process.execPath, [CLI, ...words, ...sets], { cwd, env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
      child.stdin!.end('a-password\n')
    })
}

t.test('what is stored is there from every machine', async (t) => {
  const redis = await startRedis(t)
  const here = await commandLine(t, redis)
  const there = await commandLine(t, redis)
  t.match(await here('user', 'add', 'alice', '--password-stdin'), { code: 0, stdout: 'added alice\n', stderr: '' })
  t.match(await there('user', 'list'), { code: 0, stdout: /alice/, stderr: '' })
  t.match(await there('backup', 'copy'), { code: 1, stderr: /^topictalk: this store cannot copy itself/ })
  t.equal(await redis.command('HLEN', '{topictalk}nodes'), '0', 'no node is left of them')
})

t.test('what hinders it is one line', async (t) => {
  const here = await commandLine(t, await startRedis(t, { aof: 'off' }))
  t.match(await here('user', 'list'), { code: 1, stdout: '', stderr: /^topictalk: appendonly is no: .*\n$/ })
})
