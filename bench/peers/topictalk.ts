/** TopicTalk as it is by default, everything on: token logins, membership, validation, a synced log, rate limits, search. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Peer, PeerCommand, PeerContext } from './peer.js'

export const CLI = fileURLToPath(new URL('../../broker/cli.js', import.meta.url))
/** As `npm start` and `topictalk` run it. */
const AS_STARTED = ['--min-semi-space-size=32', '--max-semi-space-size=32']
const SECRET = 'a secret for benchmarks alone, long enough for HS256'

export const topictalk: Peer = topictalkWith([])

export function dataDirOf(dir: string): string {
  return join(dir, 'data')
}

/** With settings of its own, `key=value`. */
export function topictalkWith(more: readonly string[]): Peer {
  return { name: 'TopicTalk', secret: SECRET, password: null, command: async (context) => command(context, more) }
}

function command({ port, wsPort, dir, redis }: PeerContext, more: readonly string[]): PeerCommand {
  const shared = redis ? ['store.driver=redis', `store.redis.url=${redis}`] : []
  const settings = ['rooms.autoCreate=true', 'log.level=warn', ...shared, ...more]
  // BENCH_NODE_FLAGS: to profile the broker, say --cpu-prof.
  const flags = (process.env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter(Boolean)
  return {
    file: process.execPath,
    args: [...AS_STARTED, ...flags, CLI, 'serve', ...settings.flatMap((setting) => ['--set', setting])],
    env: {
      TOPICTALK_LISTEN_MQTT: String(port),
      TOPICTALK_LISTEN_HTTP: String(wsPort),
      TOPICTALK_NODE_DATA_DIR: dataDirOf(dir),
      TOPICTALK_AUTH_JWT_SECRET: SECRET,
    },
  }
}
