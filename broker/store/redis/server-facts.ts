/** What a server says of itself when it is connected to. */
import { StoreError } from '../changes.js'
import { textsOf } from './reply-pairs.js'

export interface ServerFacts {
  readonly version: string
  /** `master` or `replica`; empty for a Sentinel. */
  readonly role: string
  /** `standalone`, `sentinel` or `cluster`. */
  readonly mode: string
  /** Of the running process: two connections lead to the same one if they have the same. Empty: it does not say. */
  readonly runId: string
}

/**
 * @param hello The answer to HELLO
 * @param info That to INFO
 * @throws StoreError if it does not speak the third version of the protocol, by which messages and replies come over one connection
 */
export function readFacts(hello: unknown, info: unknown): ServerFacts {
  const fields = textsOf(hello)
  if (fields.get('proto') !== '3') throw new StoreError('Redis 7 or newer is needed: this server does not speak RESP3')
  const [version = '', role = '', mode = ''] = ['version', 'role', 'mode'].map((name) => fields.get(name) ?? '')
  return { version, role, mode, runId: infoFields(info).get('run_id') ?? '' }
}

/** Names and values of the answer to INFO. */
export function infoFields(reply: unknown): ReadonlyMap<string, string> {
  const lines = String(reply).split('\r\n')
  return new Map(lines.map((line) => [line.split(':', 1)[0]!, line.slice(line.indexOf(':') + 1)]))
}
