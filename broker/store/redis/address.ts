/** Where Redis is, as `store.redis.url` says it. */
import { StoreError } from '../changes.js'

export interface Host {
  readonly host: string
  readonly port: number
}

export interface Login {
  /** Null: the user `default`. */
  readonly user: string | null
  /** Null: no login. */
  readonly password: string | null
}

export interface Address {
  /** One server; a master that Sentinels know; or the master of one hash slot of a Cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** The server, the Sentinels, or some nodes of the Cluster. */
  readonly hosts: readonly Host[]
  /** The name by which Sentinels know the master; empty otherwise. */
  readonly master: string
  readonly login: Login
  /** Of the Sentinels, which have users of their own. */
  readonly sentinelLogin: Login
  readonly database: number
  readonly tls: boolean
}

const PARTS = /^(redis|rediss|redis\+sentinel|redis\+cluster):\/\/(?:([^/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/
const KINDS = { redis: 'single', rediss: 'single', 'redis+sentinel': 'sentinel', 'redis+cluster': 'cluster' } as const
/** An IPv6 address stands in brackets. */
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d+))?$/
const PARAMETERS = {
  single: [],
  sentinel: ['tls', 'sentinelUser', 'sentinelPassword'],
  cluster: ['tls'],
} as const

/** @throws StoreError that says what is wrong, without the URL, which may contain a password. */
export function parseAddress(url: string): Address {
  const parts = PARTS.exec(url)
  if (!parts)
    throw wrong(
      'expected redis://host:6379, rediss://…, redis+sentinel://host:26379,host:26379/master or redis+cluster://host:6379,host:6379',
    )
  const [, scheme, user = '', hosts, path = '', query = ''] = parts as unknown as [
    string,
    keyof typeof KINDS,
    ...string[],
  ]
  const kind = KINDS[scheme]
  const parameters = parametersOf(kind, query)
  const steps = path.split('/').map(decoded)
  const master = kind === 'sentinel' ? steps.shift()! : ''
  if (kind === 'sentinel' && master === '')
    throw wrong('needs the name of the master: redis+sentinel://host:26379/master')
  const database = databaseOf(kind, steps.join('/'))
  return {
    kind,
    hosts: hostsOf(kind, hosts!),
    master,
    login: loginOf(user),
    sentinelLogin: { user: parameters.get('sentinelUser'), password: parameters.get('sentinelPassword') },
    database,
    tls: scheme === 'rediss' || parameters.get('tls') === 'true',
  }
}

function hostsOf(kind: Address['kind'], text: string): Host[] {
  const hosts = text.split(',').map((host) => hostOf(host, kind === 'sentinel' ? 26379 : 6379))
  if (kind === 'single' && hosts.length > 1)
    throw wrong('names several hosts: use redis+sentinel:// or redis+cluster://')
  return hosts
}

function hostOf(text: string, usual: number): Host {
  const [, v6, name, port] = HOST.exec(text) ?? []
  const host = { host: v6 ?? name ?? '', port: port === undefined ? usual : Number(port) }
  if (host.host === '' || host.port < 1 || host.port > 65535)
    throw wrong(`${JSON.stringify(text)} is not a host and port`)
  return host
}

function databaseOf(kind: Address['kind'], text: string): number {
  if (text === '') return 0
  if (!/^\d{1,6}$/.test(text)) throw wrong('the database after the last slash is not a number')
  if (kind === 'cluster' && Number(text) !== 0) throw wrong('a Redis Cluster has no database but 0')
  return Number(text)
}

/** `user:password`, `:password` or `user`. */
function loginOf(text: string): Login {
  if (text === '') return { user: null, password: null }
  const colon = text.indexOf(':')
  const user = decoded(colon === -1 ? text : text.slice(0, colon))
  return { user: user === '' ? null : user, password: colon === -1 ? '' : decoded(text.slice(colon + 1)) }
}

function parametersOf(kind: Address['kind'], query: string): URLSearchParams {
  const parameters = new URLSearchParams(query)
  const known: readonly string[] = PARAMETERS[kind]
  for (const name of parameters.keys())
    if (!known.includes(name)) throw wrong(`there is no parameter ${JSON.stringify(name)} here`)
  const tls = parameters.get('tls')
  if (tls !== null && tls !== 'true' && tls !== 'false') throw wrong('tls is true or false')
  return parameters
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('a % that is no percent-encoding has to be written as %25')
  }
}

function wrong(why: string): StoreError {
  return new StoreError(`the address of Redis: ${why}`)
}

export function hostText({ host, port }: Host): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
