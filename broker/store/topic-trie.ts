/**
 * Maps topic filters to values and finds those that match a topic (MQTT 4.7): the index behind live delivery and
 * offline queues. Matching is on the hot path: one pass over the levels, no closures, and a cache of recent answers.
 */
import { isReservedLevel } from '../../schemas/topics.js'

/** Weight at which the cache is cleared. */
const CACHE_WEIGHT = 100_000
/** Characters of a topic per unit of weight. */
const TOPIC_CHARACTERS = 128

export interface TopicTrieOptions {
  /** First levels that wildcards do not match. */
  reserved?: (level: string) => boolean
  /** Bound of the cache: one per topic (more if it is long) and one per value matched. 0: no cache. */
  cacheWeight?: number
}

class TrieNode<T> {
  readonly children = new Map<string, TrieNode<T>>()
  /** Values of the filter that ends here. */
  values: Set<T> | null = null
}

export class TopicTrie<T> {
  readonly #root = new TrieNode<T>()
  readonly #reserved: (level: string) => boolean
  readonly #cacheWeight: number
  readonly #cache = new Map<string, readonly T[]>()
  #cached = 0
  #size = 0

  constructor(options: TopicTrieOptions = {}) {
    this.#reserved = options.reserved ?? isReservedLevel
    this.#cacheWeight = options.cacheWeight ?? CACHE_WEIGHT
  }

  /** Number of (filter, value) pairs. */
  get size(): number {
    return this.#size
  }

  /** Values are compared by identity; adding a pair twice has no effect. */
  add(filter: string, value: T): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      let child = node.children.get(level)
      if (!child) node.children.set(level, (child = new TrieNode()))
      node = child
    }
    node.values ??= new Set()
    if (node.values.has(value)) return
    node.values.add(value)
    this.#size++
    this.#forget()
  }

  /** Returns false if the pair was not there. */
  remove(filter: string, value: T): boolean {
    const levels = filter.split('/')
    const path = [this.#root]
    for (const level of levels) {
      const child = path[path.length - 1]!.children.get(level)
      if (!child) return false
      path.push(child)
    }
    const last = path[path.length - 1]!
    if (!last.values?.delete(value)) return false
    if (last.values.size === 0) last.values = null
    for (let i = levels.length; i > 0 && !path[i]!.values && path[i]!.children.size === 0; i--) {
      path[i - 1]!.children.delete(levels[i - 1]!)
    }
    this.#size--
    this.#forget()
    return true
  }

  /**
   * The values whose filter matches `topic`, wider filters first. A value added under several matching filters occurs
   * once for each. The array is shared with later calls: do not change it.
   */
  match(topic: string): readonly T[] {
    const known = this.#cache.get(topic)
    if (known) return known
    const found: T[] = []
    collect(this.#root, topic.split('/'), 0, this.#reserved, found)
    if (this.#cacheWeight > 0) this.#remember(topic, found)
    return found
  }

  #remember(topic: string, found: readonly T[]): void {
    const weight = 1 + found.length + Math.floor(topic.length / TOPIC_CHARACTERS)
    if (weight > this.#cacheWeight) return
    if (this.#cached + weight > this.#cacheWeight) this.#forget()
    this.#cache.set(topic, found)
    this.#cached += weight
  }

  #forget(): void {
    if (this.#cached === 0) return
    this.#cache.clear()
    this.#cached = 0
  }
}

function collect<T>(
  node: TrieNode<T>,
  levels: readonly string[],
  depth: number,
  reserved: (level: string) => boolean,
  found: T[],
): void {
  // The parent level matches too: sport/# gets sport [MQTT-4.7.1-2].
  const wildcards = depth > 0 || !reserved(levels[0]!)
  if (wildcards) take(node.children.get('#'), found)
  if (depth === levels.length) {
    take(node, found)
    return
  }
  const single = wildcards ? node.children.get('+') : undefined
  if (single) collect(single, levels, depth + 1, reserved, found)
  // A topic name has no wildcard; should one have, it must not match the filter's own wildcard node.
  const level = levels[depth]!
  const exact = level === '+' || level === '#' ? undefined : node.children.get(level)
  if (exact) collect(exact, levels, depth + 1, reserved, found)
}

function take<T>(node: TrieNode<T> | undefined, found: T[]): void {
  if (!node?.values) return
  for (const value of node.values) found.push(value)
}
