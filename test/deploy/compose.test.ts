/** `deploy/compose.yaml`: valid, and about this broker and the other files of `deploy/`. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../broker/config/config.js'

const FILE = 'deploy/compose.yaml'
/** What `serve` takes to close, beside `node.drain`. */
const CLOSE = 30

interface Service {
  image: string
  build?: { context: string; dockerfile: string }
  environment?: Record<string, string>
  depends_on?: Record<string, { condition: string }>
  healthcheck?: object
  volumes?: string[]
  networks?: string[]
  ports?: string[]
  read_only?: boolean
  stop_grace_period?: string
  command?: string | string[]
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: as in the file
const PASSWORD = '${REDIS_PASSWORD:?}'
const { services, volumes, networks } = parse(readFileSync(FILE, 'utf8'), { merge: true }) as {
  services: Record<string, Service>
  volumes: object
  networks: object
}
const nodes = Object.entries(services).filter(([name]) => /^node\d$/.test(name))

t.test('is what the specification of compose allows', async (t) => {
  const dclint = join('node_modules', 'dclint', 'bin', 'dclint.cjs')
  // Open to all interfaces: that is what a load balancer is for.
  const args = [dclint, FILE, '--quiet', '--disable-rule', 'no-unbound-port-interfaces', '--no-color']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  t.equal(status, 0, stdout + stderr)
})

t.test('what a service names is there', async (t) => {
  for (const [name, service] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      t.ok(services[other], `${name} depends on ${other}`)
      if (condition === 'service_healthy') t.ok(services[other]?.healthcheck, `${other} has a health check`)
    }
    for (const network of service.networks ?? []) t.ok(network in networks, `${name}: network ${network}`)
    for (const [source, target] of (service.volumes ?? []).map((volume) => volume.split(':') as [string, string])) {
      if (!source.startsWith('.')) t.ok(source in volumes, `${name}: volume ${source}`)
      // The certificates are the operator's.
      else if (source !== './haproxy/certs') t.ok(existsSync(resolve(dirname(FILE), source)), `${name}: ${target}`)
    }
    if (service.build) t.ok(existsSync(resolve(dirname(FILE), service.build.context, service.build.dockerfile)))
  }
})

t.test('the nodes have settings that the broker takes', async (t) => {
  t.equal(nodes.length, 3)
  for (const [name, { environment, read_only, stop_grace_period }] of nodes) {
    const env = Object.fromEntries(
      Object.entries(environment!).map(([key, value]) => [
        key,
        key === 'TOPICTALK_AUTH_JWT_SECRET' ? 'x'.repeat(32) : value.replace(PASSWORD, 'secret'),
      ]),
    )
    const { node, store, listen } = loadConfig({ env, set: [], cwd: t.testdir({}) })
    t.match(store, { driver: 'redis', redis: { url: /^redis\+sentinel:/ } })
    t.equal(listen.proxyProtocol, true, 'as haproxy.cfg has it')
    t.ok(Number.parseInt(stop_grace_period!, 10) >= node.drain.delay + node.drain.spread + CLOSE, `${name} may drain`)
    t.equal(read_only, true)
  }
})

t.test('HAProxy finds the nodes, and is reached on the ports it listens on', async (t) => {
  const haproxy = readFileSync('deploy/haproxy/haproxy.cfg', 'utf8')
  const served = [...haproxy.matchAll(/^ +server (\S+) (\S+):/gm)].map(([, , host]) => host!)
  t.same(
    [...new Set(served)],
    nodes.map(([name]) => name),
  )
  const bound = [...haproxy.matchAll(/bind :(\d+)/g)].map(([, port]) => port!)
  for (const port of services['haproxy']!.ports!) t.ok(bound.includes(port.split(':')[1]!), port)
})

t.test('the Sentinels watch the Redis under the name that the nodes ask for', async (t) => {
  const { hosts, master } = /@(?<hosts>[^/]+)\/(?<master>\w+)$/.exec(
    nodes[0]![1].environment!['TOPICTALK_STORE_REDIS_URL']!,
  )!.groups!
  for (const sentinel of hosts!.split(',').map((host) => host.split(':')[0]!)) {
    const script = String(services[sentinel]!.command)
    t.match(script, new RegExp(`sentinel monitor ${master} redis 6379 2\n`))
    t.match(script, /\nport 26379\n|port 26379\n/)
  }
})
