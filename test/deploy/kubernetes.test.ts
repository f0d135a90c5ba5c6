/** `deploy/kubernetes/`: the manifests are of the types of Kubernetes, and name what is there. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../broker/config/config.js'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'

const FOLDER = 'deploy/kubernetes'
/** What `serve` takes to close, beside `node.drain`. */
const CLOSE = 30

// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind
type Manifest = any

const read = (name: string): string => readFileSync(join(FOLDER, name), 'utf8')
const kustomization = parse(read('kustomization.yaml'))
const manifests: Manifest[] = kustomization.resources.flatMap((name: string) =>
  parseAllDocuments(read(name)).map((document) => document.toJS()),
)
const ofKind = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind)
const { template, volumeClaimTemplates, serviceName, selector } = ofKind('StatefulSet')[0].spec
const { spec: pod } = template
const [container] = pod.containers
const labels = template.metadata.labels

t.test('each is of its type, with no field that the type does not have', async (t) => {
  const folder = t.testdir({})
  mkdirSync(join(folder, 'node_modules'))
  for (const name of ['kubernetes-models', '@kubernetes-models'])
    symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name))
  const lines = manifests.map((manifest, i) => {
    const path = `kubernetes-models/${manifest.apiVersion}/${manifest.kind}`
    return `export const m${i}: import('${path}').I${manifest.kind} = ${JSON.stringify(manifest, null, 1)}`
  })
  writeFileSync(join(folder, 'manifests.ts'), lines.join('\n'))
  const tsc = resolve('node_modules', 'typescript', 'bin', 'tsc')
  const options = '--noEmit --strict --skipLibCheck --module commonjs --moduleResolution node10'.split(' ')
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, 'manifests.ts'], {
    cwd: folder,
    encoding: 'utf8',
  })
  t.equal(status, 0, stdout)
})

t.test('every file is used', async (t) => {
  const used = [...kustomization.resources, ...kustomization.configMapGenerator[0].files, 'kustomization.yaml']
  t.same(readdirSync(FOLDER).sort(), used.sort())
})

t.test('the configuration is one that the broker takes, and a pod has the time to drain', async (t) => {
  const given: Record<string, string> = {
    'jwt-secret': 'x'.repeat(32),
    'redis-url': 'rediss://:secret@redis.example.com:6379',
  }
  const env = Object.fromEntries(
    container.env.map(({ name, valueFrom }: Manifest) => [name, given[valueFrom.secretKeyRef.key]]),
  )
  const [file] = kustomization.configMapGenerator[0].files
  const { node, store, listen } = loadConfig({ file: join(FOLDER, file), env, set: [] })
  t.equal(store.driver, 'redis')
  t.ok(node.drain.delay >= 5, 'the cluster needs a while')
  t.ok(pod.terminationGracePeriodSeconds >= node.drain.delay + node.drain.spread + CLOSE)
  t.equal(listen.host, '0.0.0.0')
  t.same(
    container.ports.map(({ containerPort }: Manifest) => containerPort),
    [listen.mqtt, listen.http],
  )
  const [, , path] = container.args
  const mounts: Manifest[] = container.volumeMounts
  t.ok(mounts.some(({ mountPath }) => path === `${mountPath}/${file}`))
  t.ok(mounts.some(({ mountPath, readOnly }) => mountPath === node.dataDir && !readOnly))
  const there = [...pod.volumes, ...volumeClaimTemplates.map(({ metadata }: Manifest) => metadata)]
  t.same(mounts.map(({ name }) => name).sort(), there.map(({ name }: Manifest) => name).sort())
  t.equal(pod.volumes[0].configMap.name, kustomization.configMapGenerator[0].name)
})

t.test('probes ask for what the broker answers', async (t) => {
  const broker = await startTestBroker(t)
  for (const [probe, path] of [
    ['startupProbe', '/healthz'],
    ['livenessProbe', '/healthz'],
    ['readinessProbe', '/readyz'],
  ] as const) {
    t.match(container[probe].httpGet, { path, port: 'http' })
    t.equal((await fetchFrom(broker, path)).status, 200)
  }
})

t.test('selectors and ports lead to the pods', async (t) => {
  t.same(selector.matchLabels, labels)
  const names = container.ports.map(({ name }: Manifest) => name)
  for (const { metadata, spec } of ofKind('Service')) {
    t.same(spec.selector, labels, metadata.name)
    for (const { targetPort } of spec.ports) t.ok(names.includes(targetPort), `${metadata.name}: ${targetPort}`)
  }
  t.ok(ofKind('Service').some(({ metadata, spec }) => metadata.name === serviceName && spec.clusterIP === 'None'))
  t.same(ofKind('PodDisruptionBudget')[0].spec.selector.matchLabels, labels)
  const { podSelector, ingress } = ofKind('NetworkPolicy')[0].spec
  t.same(podSelector.matchLabels, labels)
  t.same(
    ingress[0].ports.map(({ port }: Manifest) => port),
    names,
  )
})

const kubectl = spawnSync('kubectl', ['version', '--client'], { encoding: 'utf8' })
t.test('kustomize renders them', { skip: kubectl.status !== 0 && 'kubectl is not installed here' }, async (t) => {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', FOLDER], { encoding: 'utf8' })
  t.equal(status, 0, stderr)
  t.equal(parseAllDocuments(stdout).length, manifests.length + 1)
})
