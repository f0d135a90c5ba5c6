/**
 * Loads the configuration: the schema's defaults, then the YAML file, then `TOPICTALK_…` variables, then `--set`.
 * Unknown keys and wrong types are fatal, and reported with the place they come from.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import Value from 'typebox/value'
import { DURATION } from '../../schemas/config/fields.js'
import { type Config, ConfigError } from '../../schemas/config.js'
import { isRoomId } from '../../schemas/ids.js'
import { MAX_WEBHOOKS, unknownEvents } from '../../schemas/webhooks.js'
import { createAcl } from '../auth/acl.js'
import { endpointFault } from '../auth/endpoint.js'
import { filterFaults } from '../chat/moderation/filters/compile.js'
import { type Fault, findFaults, isMap, leaves, nearest, type Path, pathText, root, type SchemaNode } from './check.js'
import { type ConfigFile, fromText, readConfigFile } from './file.js'
import { identityFaults } from './identity.js'
import { mediaFaults } from './media.js'
import { dropObsolete, OBSOLETE } from './obsolete.js'
import { storeFaults } from './store.js'

export { type Config, ConfigError }

export interface ConfigSources {
  /** Path of a YAML file that must exist. Undefined: ./config.yaml if it exists. */
  file?: string | undefined
  env: NodeJS.ProcessEnv
  /** `a.b=value`, the value as YAML. */
  set: readonly string[]
  /** Base of relative paths. */
  cwd?: string
  /** Called for each obsolete key. */
  warn?: (text: string) => void
}

const DEFAULT_FILE = 'config.yaml'
const PREFIX = 'TOPICTALK_'

/** Throws a `ConfigError` with one line per fault. */
export function loadConfig(sources: ConfigSources): Config {
  const cwd = sources.cwd ?? process.cwd()
  const file = openFile(sources, cwd)
  const overrides = [...envOverrides(sources.env, file?.variables), ...setOverrides(sources.set)]
  const raw = withoutEmptySections(root, file?.value ?? {})
  for (const override of overrides) assign(raw, override)
  const names = new Map(overrides.map(({ path, source }) => [pathText(path), source]))
  // A fault may be deep inside an overridden list.
  const overriddenBy = (path: Path): string | undefined =>
    path.map((_, i) => names.get(pathText(path.slice(0, i + 1)))).find((name) => name !== undefined)
  return completeConfig(raw, {
    cwd,
    where: (path) => overriddenBy(path) ?? file?.where(path),
    hidden: (path) => !overriddenBy(path) && file?.filled.has(pathText(path)) === true,
    ...(sources.warn ? { warn: sources.warn } : {}),
  })
}

export interface RawOrigin {
  cwd?: string
  /** No port is needed: the broker is served on the server of an application. */
  portless?: boolean
  /** Where the value at a path was set. */
  where?: (path: Path) => string | undefined
  /** Whether the value at a path must not be shown. */
  hidden?: (path: Path) => boolean
  /** Called for each obsolete key. */
  warn?: (text: string) => void
}

/** Validates, adds defaults and normalises. Throws a `ConfigError`. */
export function completeConfig(raw: unknown, origin: RawOrigin = {}): Config {
  const { cwd = process.cwd(), where = () => undefined, hidden = () => false } = origin
  const own = structuredClone(raw)
  for (const path of dropObsolete(own)) {
    const place = where(path)
    const name = pathText(path)
    origin.warn?.(`${place ? `${place}: ` : ''}${name} has no effect any more: ${OBSOLETE.get(name)}`)
  }
  const filled = Value.Default(root, own)
  const faults = findFaults(filled, hidden)
  if (faults.length > 0) throw configError(faults, where)
  normaliseDurations(root, filled as Record<string, unknown>)
  const config = filled as Config
  normalisePacketBytes(config)
  const contradictions = findContradictions(config, origin.portless)
  if (contradictions.length > 0) throw configError(contradictions, where)
  resolvePaths(config, cwd)
  return config
}

/** Faults in the order of the file. */
function configError(faults: readonly Fault[], where: (path: Path) => string | undefined): ConfigError {
  const placed = faults.map((fault) => ({ ...fault, place: where(fault.path) }))
  const lineOf = (place = ''): number => Number(/:(\d+)$/.exec(place)?.[1] ?? 0)
  placed.sort((a, b) => lineOf(a.place) - lineOf(b.place))
  return new ConfigError(
    placed.map(
      ({ path, message, place }) => `${place ? `${place}: ` : ''}${pathText(path) || 'configuration'}: ${message}`,
    ),
  )
}

function openFile({ file, env }: ConfigSources, cwd: string): ConfigFile | null {
  if (file !== undefined) return readConfigFile(file, cwd, env)
  return existsSync(resolve(cwd, DEFAULT_FILE)) ? readConfigFile(DEFAULT_FILE, cwd, env) : null
}

interface Override {
  path: readonly string[]
  value: unknown
  /** For messages. */
  source: string
}

/** All keys, and obsolete ones. */
function settings(): ReturnType<typeof leaves> {
  return [...leaves(), ...[...OBSOLETE.keys()].map((path) => ({ path: path.split('.'), schema: {} as SchemaNode }))]
}

/** `listen.wsPath` can be set by TOPICTALK_LISTEN_WS_PATH or TOPICTALK_LISTEN_WSPATH. */
export function envNames(path: readonly string[]): string[] {
  const snake = path.map((step) => step.replace(/(?=[A-Z])/g, '_')).join('_')
  return [PREFIX + snake.toUpperCase(), PREFIX + path.join('_').toUpperCase()]
}

function envOverrides(env: NodeJS.ProcessEnv, interpolated: ReadonlySet<string> = new Set()): Override[] {
  const byName = new Map(settings().flatMap((leaf) => envNames(leaf.path).map((name) => [name, leaf] as const)))
  const overrides: Override[] = []
  const faults: string[] = []
  for (const [name, text] of Object.entries(env)) {
    // Compose files and shells pass an unset variable as an empty one.
    if (!name.startsWith(PREFIX) || !text) continue
    const leaf = byName.get(name)
    if (leaf) overrides.push({ path: leaf.path, value: fromText(leaf.schema, text), source: name })
    else if (!interpolated.has(name)) faults.push(`${name}: no such setting${didYouMean(name, [...byName.keys()])}`)
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return overrides
}

function setOverrides(set: readonly string[]): Override[] {
  const byPath = new Map(settings().map((leaf) => [leaf.path.join('.'), leaf] as const))
  const overrides: Override[] = []
  const faults: string[] = []
  for (const text of set) {
    const equals = text.indexOf('=')
    const path = text.slice(0, equals).trim()
    const leaf = byPath.get(path)
    // Without an equals sign the key cannot be told from the value, which may be a secret.
    if (equals === -1) faults.push('--set: expected key=value')
    else if (leaf)
      overrides.push({ path: leaf.path, value: fromText(leaf.schema, text.slice(equals + 1)), source: '--set' })
    else faults.push(`--set ${path}: no such setting${didYouMean(path, [...byPath.keys()])}`)
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return overrides
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}

/** A section whose keys are all commented out is null in YAML, and means all defaults. */
function withoutEmptySections(schema: SchemaNode, value: unknown): unknown {
  if (!schema.properties) return value
  if (value === null) return {}
  if (!isMap(value)) return value
  const entries = Object.entries(value).map(([key, item]) => {
    const child = Object.hasOwn(schema.properties!, key) ? schema.properties![key] : undefined
    return [key, child ? withoutEmptySections(child, item) : item]
  })
  return Object.fromEntries(entries)
}

function assign(raw: unknown, { path, value }: Override): void {
  let section = raw
  for (const step of path.slice(0, -1)) {
    // A section of the wrong type stays unchanged; validation reports it.
    if (!isMap(section)) return
    section = section[step] ??= {}
  }
  if (isMap(section)) section[path.at(-1)!] = value
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

function normaliseDurations(schema: SchemaNode, section: Record<string, unknown>): void {
  for (const [key, child] of Object.entries(schema.properties!)) {
    const value = section[key]
    if (child.properties) normaliseDurations(child, value as Record<string, unknown>)
    else if (child.duration && typeof value === 'string') section[key] = toSeconds(value)
  }
}

function toSeconds(text: string): number {
  const [, digits, unit] = DURATION.exec(text)!
  return Number(digits) * UNIT_SECONDS[unit ?? 's']!
}

/** Space for the longest topic, and as much for properties. */
const PACKET_OVERHEAD = 131_072

function normalisePacketBytes({ limits }: Config): void {
  if (typeof limits.packetBytes === 'string')
    limits.packetBytes = Math.max(limits.payloadBytes, limits.syncBytes) + PACKET_OVERHEAD
}

/** Faults that involve several keys. */
function findContradictions(
  { listen, auth, acl, rooms, limits, media, moderation, store, webhooks, web }: Config,
  portless = false,
): Fault[] {
  const faults: Fault[] = identityFaults({ auth, listen, web })
  faults.push(...storeFaults({ store, auth }), ...mediaFaults({ media }), ...aclFaults(acl.rules))
  if (!portless && PORTS.every((name) => listen[name] === null))
    faults.push({ path: ['listen'], message: `needs a port: one of ${PORTS.join(', ')}` })
  if (auth.tokenTtl <= 0) faults.push({ path: ['auth', 'tokenTtl'], message: 'expected more than 0 seconds' })
  const { keepAlive } = limits
  if (keepAlive !== null && !(Number.isInteger(keepAlive) && keepAlive >= 1 && keepAlive <= 65535))
    faults.push({ path: ['limits', 'keepAlive'], message: 'expected whole seconds from 1 to 65535, or null' })
  if (listen.wsPing !== null && !(listen.wsPing > 0 && listen.wsPing <= 86400))
    faults.push({ path: ['listen', 'wsPing'], message: 'expected more than 0 seconds, at most 1d, or null' })
  for (const key of ['mqtts', 'https'] as const)
    if (listen[key] !== null && (listen.tls.cert === null || listen.tls.key === null))
      faults.push({ path: ['listen', key], message: 'needs listen.tls.cert and listen.tls.key' })
  const ids = new Set<string>()
  rooms.list.forEach(({ id }, i) => {
    const path = ['rooms', 'list', i, 'id']
    if (!isRoomId(id)) faults.push({ path, message: `${JSON.stringify(id)} is not a room id` })
    else if (ids.has(id)) faults.push({ path, message: `the room ${id} is listed twice` })
    ids.add(id)
  })
  faults.push(...webhookFaults(webhooks))
  const { url, secret } = moderation.webhook
  if (url !== null && secret === null)
    faults.push({ path: ['moderation', 'webhook', 'url'], message: 'needs moderation.webhook.secret' })
  if (url !== null && !URL.canParse(url))
    faults.push({ path: ['moderation', 'webhook', 'url'], message: 'is not a URL' })
  if (media.linkLife < 1) faults.push({ path: ['media', 'linkLife'], message: 'expected at least 1 second' })
  const scanFault = media.scan.url === null ? null : endpointFault(media.scan.url)
  if (scanFault !== null) faults.push({ path: ['media', 'scan', 'url'], message: scanFault })
  if (limits.packetBytes < limits.payloadBytes)
    faults.push({ path: ['limits', 'packetBytes'], message: 'is smaller than limits.payloadBytes' })
  for (const { path, message } of filterFaults(moderation.filters))
    faults.push({ path: ['moderation', 'filters', ...path], message })
  return faults
}

const PORTS = ['mqtt', 'http', 'mqtts', 'https'] as const

function aclFaults(rules: Config['acl']['rules']): Fault[] {
  try {
    createAcl(rules)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map((fault) => {
      const [, where, message] = /^(\S+): (.*)$/s.exec(fault)!
      const steps = where!.split(/[.[\]]+/).filter((step) => step !== '')
      return { path: steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)), message: message! }
    })
  }
}

function webhookFaults(webhooks: Config['webhooks']): Fault[] {
  const faults: Fault[] = []
  if (webhooks.length > MAX_WEBHOOKS) faults.push({ path: ['webhooks'], message: `at most ${MAX_WEBHOOKS}` })
  const ids = new Set<string>()
  webhooks.forEach(({ id, url, events }, i) => {
    if (ids.has(id)) faults.push({ path: ['webhooks', i, 'id'], message: `the webhook ${id} is listed twice` })
    ids.add(id)
    if (!URL.canParse(url)) faults.push({ path: ['webhooks', i, 'url'], message: 'is not a URL' })
    for (const event of unknownEvents(events))
      faults.push({ path: ['webhooks', i, 'events'], message: `there is no event ${event}` })
  })
  return faults
}

function resolvePaths({ node, listen, auth, store }: Config, cwd: string): void {
  node.dataDir = resolve(cwd, node.dataDir)
  const { tls } = listen
  for (const file of ['cert', 'key', 'ca', 'crl'] as const) if (tls[file] !== null) tls[file] = resolve(cwd, tls[file])
  const toRedis = store.redis.tls
  for (const file of ['cert', 'key', 'ca'] as const)
    if (toRedis[file] !== null) toRedis[file] = resolve(cwd, toRedis[file])
  if (auth.hooks !== null) auth.hooks = resolve(cwd, auth.hooks)
  const { publicKey } = auth.jwt
  if (publicKey !== null && !publicKey.includes('-----BEGIN')) auth.jwt.publicKey = resolve(cwd, publicKey)
}
