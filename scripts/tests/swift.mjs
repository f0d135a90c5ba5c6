/**
 * OpenStack Swift with its S3 API, as Debian has it: four servers and a memcached in a directory, for as long as tests run. Nothing outside
 * of the directory is read or written.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsV4Signer } from 'aws4fetch'

const SERVERS = ['account', 'container', 'object', 'proxy']
const KEYS = { accessKeyId: 'test:tester', secretAccessKey: 'testing' }
const REGION = 'us-east-1'
/** Ms until the servers answer, at most. */
const PATIENCE = 60_000

/** Resolves with how tests reach a bucket of it (test/helpers/s3.ts), and what ends it. @throws if it does not start, with what it said */
export async function startSwift(directory) {
  const etc = join(directory, 'etc')
  mkdirSync(join(directory, 'device'), { recursive: true })
  mkdirSync(etc)
  const ports = await freePorts(['memcached', ...SERVERS])
  configure(directory, etc, ports)
  const children = [
    start(directory, 'memcached', ['-u', 'nobody', '-l', '127.0.0.1', '-p', String(ports.memcached), '-U', '0']),
    ...SERVERS.map((server) => start(directory, `swift-${server}-server`, [join(etc, `${server}.conf`)])),
  ]
  const stop = async () => {
    for (const child of children) if (child.exitCode === null && child.kill()) await once(child, 'exit')
  }
  const url = `http://127.0.0.1:${ports.proxy}/files`
  try {
    await makeBucket(url, children)
  } catch (error) {
    await stop()
    throw new Error(`Swift did not start:\n${SERVERS.map((server) => said(directory, server)).join('')}`, {
      cause: error,
    })
  }
  const env = {
    TEST_S3_URL: url,
    TEST_S3_REGION: REGION,
    TEST_S3_ACCESS_KEY: KEYS.accessKeyId,
    TEST_S3_SECRET_KEY: KEYS.secretAccessKey,
  }
  return { env, stop }
}

function configure(directory, etc, ports) {
  for (const server of SERVERS.slice(0, 3)) {
    const ring = [join(etc, `${server}.builder`)]
    const device = ['--region', '1', '--zone', '1', '--ip', '127.0.0.1', '--device', 'device', '--weight', '1']
    run('swift-ring-builder', [...ring, 'create', '4', '1', '0'])
    run('swift-ring-builder', [...ring, 'add', ...device, '--port', String(ports[server])])
    run('swift-ring-builder', [...ring, 'rebalance'])
    const defaults = { ...common(etc, ports[server]), devices: directory, mount_check: false, fallocate_reserve: 0 }
    write(etc, `${server}.conf`, {
      DEFAULT: defaults,
      'pipeline:main': { pipeline: `${server}-server` },
      [`app:${server}-server`]: { use: `egg:swift#${server}` },
    })
  }
  write(etc, 'swift.conf', {
    'swift-hash': { swift_hash_path_prefix: 'a', swift_hash_path_suffix: 'b' },
    'storage-policy:0': { name: 'one', default: 'yes' },
  })
  const filters = {
    catch_errors: {},
    cache: { use: 'egg:swift#memcache', memcache_servers: `127.0.0.1:${ports.memcached}` },
    s3api: { s3_acl: false, location: REGION },
    tempauth: { user_test_tester: `${KEYS.secretAccessKey} .admin` },
    slo: {},
  }
  const sections = Object.entries(filters).map(([name, keys]) => [
    `filter:${name}`,
    { use: `egg:swift#${name}`, ...keys },
  ])
  write(etc, 'proxy.conf', {
    DEFAULT: common(etc, ports.proxy),
    'pipeline:main': { pipeline: [...Object.keys(filters), 'proxy-server'].join(' ') },
    'app:proxy-server': { use: 'egg:swift#proxy', account_autocreate: true },
    ...Object.fromEntries(sections),
  })
}

const common = (etc, port) => ({
  bind_ip: '127.0.0.1',
  bind_port: port,
  // The process that is started serves by itself.
  workers: 0,
  user: userInfo().username,
  swift_dir: etc,
})

function write(etc, name, sections) {
  const lines = Object.entries(sections).flatMap(([section, keys]) => [
    `[${section}]`,
    ...Object.entries(keys).map(([key, value]) => `${key} = ${value}`),
  ])
  writeFileSync(join(etc, name), `${lines.join('\n')}\n`)
}

function run(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  // 1: it has warned, of a ring with a single device.
  if (error || status > 1) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stdout + stderr}`)
}

function start(directory, program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  // What awaits the servers sees that it is not there.
  child.once('error', () => {})
  const log = createWriteStream(join(directory, `${program}.log`))
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return child
}

const said = (directory, server) => readFileSync(join(directory, `swift-${server}-server.log`), 'utf8')

async function makeBucket(url, children) {
  for (const end = Date.now() + PATIENCE; ; await sleep(200)) {
    const { headers } = await new AwsV4Signer({ ...KEYS, method: 'PUT', url, service: 's3', region: REGION }).sign()
    const answer = await fetch(url, { method: 'PUT', headers }).catch(() => null)
    if (answer?.ok) return
    if (Date.now() > end || children.some(({ exitCode }) => exitCode !== null))
      throw new Error(answer ? `it answered ${answer.status}` : 'it did not answer')
  }
}

/** Swift has to know its ports before it starts. */
async function freePorts(names) {
  const servers = await Promise.all(
    names.map(async () => {
      const server = net.createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = Object.fromEntries(names.map((name, i) => [name, servers[i].address().port]))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
