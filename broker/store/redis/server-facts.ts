/** What a server says of itself in its answer to HELLO. */
import { StoreError } from '../changes.js'

export interface ServerFacts {
  readonly version: string
  /** `master` or `replica`; empty for a Sentinel. */
  readonly role: string
  /** `standalone`, `sentinel` or `cluster`. */
  readonly mode: string
}

/** @throws StoreError if it does not speak the third version of the protocol, by which messages and replies come over one connection. */
export function readFacts(reply: unknown): ServerFacts {
  const fields = pairs(reply)
  if (fields.get('proto') !== '3') throw new StoreError('Redis 7 or newer is needed: this server does not speak RESP3')
  const [version = '', role = '', mode = ''] = ['version', 'role', 'mode'].map((name) => fields.get(name) ?? '')
  return { version, role, mode }
}

/** Names and values of a reply that is a map. */
export function pairs(reply: unknown): ReadonlyMap<string, string> {
  const list = Array.isArray(reply) ? reply.map(String) : []
  return new Map(Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i]!, list[2 * i + 1]!]))
}
