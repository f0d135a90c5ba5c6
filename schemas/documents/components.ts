/** Collects schemas with a title: each is written once, under that name, and referenced everywhere else. */
import type { TSchema } from 'typebox'

export type Json = Record<string, unknown>

export class Components {
  readonly #prefix: string
  readonly #named = new Map<string, Json>()

  /** `prefix`: where the document keeps them, such as `#/components/schemas/`. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The schema as plain JSON, with references to named schemas. */
  use(schema: TSchema): Json {
    const json = JSON.parse(JSON.stringify(schema)) as Json
    return this.#refer(json) as Json
  }

  /** By name, sorted. */
  all(): Record<string, Json> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #refer(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map((item) => this.#refer(item))
    const inner = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#refer(item)]))
    // Our own mark for what is never shown; JSON Schema has a word for what is only ever sent [JSON Schema validation, 9.4].
    if (inner['secret'] === true) {
      delete inner['secret']
      inner['writeOnly'] = true
    }
    const { title } = inner
    // A property may be called title too; that one is a schema.
    if (typeof title !== 'string') return inner
    const known = this.#named.get(title)
    if (known && JSON.stringify(known) !== JSON.stringify(inner)) throw new Error(`two schemas are titled ${title}`)
    this.#named.set(title, inner)
    return { $ref: `${this.#prefix}${title}` }
  }
}
