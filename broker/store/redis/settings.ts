/** What all nodes of a deployment should be set for alike: each leaves a digest of every setting beside its entry, and is told where others differ. */
import type { Keys } from './keys.js'
import type { Connection } from './link.js'

/** What a node has in common with all others of its deployment. */
export interface Deployment {
  /** Fingerprint of the secret. */
  readonly secret: string
  readonly settings: NodeSettings
}

export interface NodeSettings {
  /** `node.id`. */
  readonly name: string
  /** Digests by key of the configuration. */
  readonly digests: Readonly<Record<string, string>>
}

/** Leaves them, and returns one line about those that differ; null: none. */
export async function compareSettings(
  connection: Connection,
  keys: Keys,
  self: number,
  own: NodeSettings,
): Promise<string | null> {
  await connection.call('HSET', [keys.settings, String(self), JSON.stringify(own)])
  const found = (await connection.call('HVALS', [keys.settings])) as Buffer[]
  return differenceText(
    own,
    found.map((text) => JSON.parse(text.toString()) as NodeSettings),
  )
}

function differenceText(own: NodeSettings, all: readonly NodeSettings[]): string | null {
  const different = new Set<string>()
  const names = new Set<string>()
  // Of the same name is what this node was before.
  for (const { name, digests } of all.filter(({ name }) => name !== own.name))
    for (const key of Object.keys({ ...own.digests, ...digests }))
      if (own.digests[key] !== digests[key]) {
        different.add(key)
        names.add(name)
      }
  if (different.size === 0) return null
  return `set differently on other nodes (${[...names].join(', ')}): ${[...different].sort().join(', ')}; clients see the one or the other`
}
