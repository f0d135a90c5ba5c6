/** The client's store as a list that is searched from its beginning, and random programs for both. */
import type { Change, Key, Range, Row, Table } from '../../client/store/store.js'
import type { Random } from '../helpers/random.js'

interface ModelRow extends Row {
  readonly table: Table
  readonly asOf: number | undefined
}

export class ClientStoreModel {
  #rows: ModelRow[] = []

  write(changes: readonly Change[]): void {
    for (const change of changes) {
      if ('clear' in change) this.#remove(change.clear, (key) => begins(key, change.prefix))
      else if ('delete' in change) this.#remove(change.delete, (key) => text(key) === text(change.key))
      else this.#put(change)
    }
  }

  range(table: Table, { prefix = [], after, before, limit, reverse }: Range): Row[] {
    const rows = this.#rows
      .filter((row) => row.table === table && begins(row.key, prefix))
      .filter(({ key }) => (!after || text(key) > text(after)) && (!before || text(key) < text(before)))
      .sort((a, b) => (text(a.key) < text(b.key) ? -1 : 1) * (reverse ? -1 : 1))
    return rows.slice(0, limit).map(({ key, value }) => ({ key, value }))
  }

  #put({ put: table, key, value, asOf }: Extract<Change, { put: Table }>): void {
    const old = this.#rows.find((row) => row.table === table && text(row.key) === text(key))
    if (old?.asOf !== undefined && asOf !== undefined && old.asOf > asOf) return
    this.#remove(table, (other) => text(other) === text(key))
    this.#rows.push({ table, key, value, asOf })
  }

  #remove(table: Table, is: (key: Key) => boolean): void {
    this.#rows = this.#rows.filter((row) => row.table !== table || !is(row.key))
  }
}

function begins(key: Key, prefix: Key): boolean {
  return text(key.slice(0, prefix.length)) === text(prefix)
}

/** In the order of keys, for parts as `randomKey` makes them: digits before letters, each of one length. */
function text(key: Key): string {
  return key.join('')
}

const TABLES: readonly Table[] = ['rooms', 'messages']
const PARTS = [1, 2, 3, 'a', 'b', 'c']

function randomKey(random: Random, least = 1): Key {
  return Array.from({ length: random.between(least, 3) }, () => random.pick(PARTS))
}

export function randomChanges(random: Random): Change[] {
  return Array.from({ length: random.between(1, 8) }, (): Change => {
    const table = random.pick(TABLES)
    const key = randomKey(random)
    const asOf = random.chance(0.5) ? { asOf: random.below(4) } : {}
    if (random.chance(0.7)) return { put: table, key, value: random.below(1000), ...asOf }
    return random.chance(0.8) ? { delete: table, key } : { clear: table, prefix: key }
  })
}

export function randomRange(random: Random): [Table, Range] {
  return [
    random.pick(TABLES),
    {
      ...(random.chance(0.5) && { prefix: randomKey(random, 0) }),
      ...(random.chance(0.4) && { after: randomKey(random) }),
      ...(random.chance(0.4) && { before: randomKey(random) }),
      ...(random.chance(0.3) && { limit: random.below(5) }),
      ...(random.chance(0.5) && { reverse: random.chance(0.5) }),
    },
  ]
}
