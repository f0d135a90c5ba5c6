/** The parts of the embedded store whose rules no contract test would show: key order, checksums, encodings. */

import t from 'tap'
import { body } from '../../broker/store/body.js'
import { BloomFilter, bloomHash } from '../../broker/store/level/bloom-filter.js'
import { checksum, tableChecksum } from '../../broker/store/level/checksum.js'
import { Chunk } from '../../broker/store/level/chunk.js'
import { CommitEncoder, decodeCommit } from '../../broker/store/level/commit-codec.js'
import { keys, numberOf, partsOf, ranges } from '../../broker/store/level/keys.js'
import { PREFIXES, recordKey, recordRange, recordsFrom } from '../../broker/store/level/record-keys.js'
import { RunReader } from '../../broker/store/level/run.js'
import { decodePacket, encodePacket } from '../../broker/store/packet-codec.js'
import { RetainedCuts } from '../../broker/store/retained-cuts.js'
import { keyOf, type Table } from '../../broker/store/tables.js'
import fc from '../helpers/fast-check.js'

/** Names with what keys are made of. */
const name = fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', '!', '/', 'a', 'b', 'é', '🙂'), maxLength: 6 })
const bytes = (key: string): Buffer => Buffer.from(key)
const inRange = (key: string, { gte, lt }: { gte: string; lt: string }): boolean =>
  Buffer.compare(bytes(key), bytes(gte)) >= 0 && Buffer.compare(bytes(key), bytes(lt)) < 0

t.test('keys', async (t) => {
  fc.assert(
    fc.property(name, name, name, name, (id, topic, otherId, otherTopic) => {
      const key = recordKey('subscription', keyOf(id, topic))
      const other = recordKey('subscription', keyOf(otherId, otherTopic))
      const [first, second] = partsOf(key)
      if (first !== id || second !== topic) return false
      if ((key === other) !== (id === otherId && topic === otherTopic)) return false
      return inRange(other, recordRange('subscription', id)) === (id === otherId)
    }),
  )
  const seq = fc.nat(Number.MAX_SAFE_INTEGER)
  fc.assert(
    fc.property(name, seq, name, seq, (log, one, otherLog, other) => {
      const key = keys.chunk(log, one)
      if (numberOf(key) !== one) return false
      if (Math.sign(Buffer.compare(bytes(key), bytes(keys.chunk(log, other)))) !== Math.sign(one - other)) return false
      return inRange(keys.chunk(otherLog, other), ranges.chunksBefore(log, one)) === (otherLog === log && other < one)
    }),
  )
  const ofAnn = recordsFrom('session', 'ann/')
  t.notOk(inRange(recordKey('session', 'ann2/x'), ofAnn))
  t.ok(inRange(recordKey('session', 'ann/x'), ofAnn))
})

/** Tables whose keys are made in keys.ts too. */
const NAMED_TOO: ReadonlySet<Table> = new Set(['readerCursor'])

/** A key of each kind, by the name of what makes it. */
function keyOfEachKind(): [string, string][] {
  const { format, upgrading, moving, epoch, folded, queueNumber } = keys
  const fixed = Object.entries({ format, upgrading, moving, epoch, folded, queueNumber })
  const { chunk, due, erased, note, dedupe, dueRetained, reference } = keys
  const { outbox } = keys
  const { journal, head, dropping, stale, generation, filter, packet, retained } = keys
  const numbered = { journal, generation, filter, packet }
  const named = { head, dropping, stale, retained }
  const pairs = { outbox }
  return [
    ...fixed,
    ...(Object.keys(PREFIXES) as Table[])
      .filter((table) => !NAMED_TOO.has(table))
      .map((table): [string, string] => [`table ${table}`, recordKey(table, 'x')]),
    ...Object.entries(numbered).map(([kind, of]): [string, string] => [kind, of(1)]),
    ...Object.entries(named).map(([kind, of]): [string, string] => [kind, of('x')]),
    ...Object.entries(pairs).map(([kind, of]): [string, string] => [kind, of('x', 'y')]),
    ...Object.entries({ chunk, erased, reference }).map(([kind, of]): [string, string] => [kind, of('x', 1, false)]),
    ['due', due(1, 'x', 1)],
    ['dueRetained', dueRetained(1, 'x')],
    ['note', note('x', 'n', 1, 'y')],
    ['dedupe', dedupe(1, 'x')],
  ]
}

t.test('each kind of key has a letter, or a pair of letters, that no other begins with', async (t) => {
  const kinds = keyOfEachKind()
  const notKinds = ['journalEdges', 'dueOf', 'retainedOfDue', 'keyOfStale', 'groupOf', 'noteOf', 'numbered', 'behind']
  const partsOfOthers = ['dedupeName', 'dedupeNameOf', 'dedupePrefix', 'outboxOf']
  const known = new Set([...kinds.map(([kind]) => kind), ...notKinds, ...partsOfOthers])
  t.same(
    Object.keys(keys).filter((kind) => !known.has(kind)),
    [],
    'a new kind of key belongs here too',
  )
  /** Two letters where a letter is shared by kinds that have a second one. */
  const prefixOf = (key: string): string => {
    if (key[0] === '!') return key
    return key.slice(0, 'OWM'.includes(key[0]!) ? 2 : 1)
  }
  const owners = new Map<string, string>()
  for (const [kind, key] of kinds) {
    const prefix = prefixOf(key)
    t.equal(owners.get(prefix), undefined, `${kind} begins with ${prefix}`)
    owners.set(prefix, kind)
  }
})

t.test('checksums are those of zlib', async (t) => {
  t.equal(checksum(Buffer.from('123456789')), 0xcbf43926)
  t.equal(tableChecksum(Buffer.from('123456789')), 0xcbf43926)
})

t.test('a commit, and the chunks made of it, read back as written', async (t) => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 })
  const draft = fc.record({
    log: fc.constantFrom('m:a', 'm:ü', 'e:c'),
    id: text,
    ts: fc.nat(2 ** 47),
    from: text,
    qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
    head: text,
    tail: text,
    dedupe: fc.option(fc.record({ cid: text, hash: text })),
    origin: text,
    isChange: fc.boolean(),
    extra: fc.option(
      fc.record({ properties: fc.uint8Array().map((bytes) => Buffer.from(bytes)), expiresAt: fc.nat(2 ** 47) }),
    ),
  })
  const encoder = new CommitEncoder()
  fc.assert(
    fc.property(fc.array(draft, { minLength: 1, maxLength: 200 }), (drafts) => {
      encoder.begin()
      const logs = [...new Set(drafts.map(({ log }) => log))].map((log, place) => ({
        log,
        first: 10 ** (place + 12),
        count: 0,
      }))
      const expected = drafts.map((draft) => {
        const place = logs.findIndex(({ log }) => log === draft.log)
        const seq = logs[place]!.first + logs[place]!.count++
        const { log, ts, qos, from, origin, extra, head, tail, isChange } = draft
        encoder.add(place, { ...draft, body: body(head, tail) }, seq)
        const payload = Buffer.from(`${head}${seq}${tail}`)
        return { log, entry: { seq, ts, qos, from, origin, extra, payload, ...(isChange ? { isChange } : {}) } }
      })
      const { value, payloads } = encoder.finish(logs)
      t.same(
        expected.map((_, i) => value.subarray(payloads[2 * i], payloads[2 * i + 1])),
        expected.map(({ entry }) => entry.payload),
      )
      for (const { log, runs, dedupe } of decodeCommit(value)!) {
        const entries = runs.flatMap((run) => run.entries)
        t.same(
          entries,
          expected.filter((one) => one.log === log).map(({ entry }) => entry),
        )
        t.equal(dedupe.length, drafts.filter((draft) => draft.log === log && draft.dedupe).length)
        for (const run of runs)
          for (const { seq } of run.entries.slice(0, -1))
            t.same(run.after(seq).entries, run.entries.slice(seq + 1 - run.first))
        const source = new RunReader(runs)
        let chunk: Chunk | null = null
        for (let taken = 0; taken < entries.length; ) {
          const before: Chunk | null = chunk && chunk.count < 30 ? chunk : null
          chunk = Chunk.pack(before, source)
          taken += chunk.count - (before?.count ?? 0)
          const read = Chunk.read(chunk.value)!
          t.same(read.entries, entries.slice(taken - chunk.count, taken))
        }
        t.ok(source.done)
      }
      value[value.length >> 1]! ^= 4
      t.equal(decodeCommit(value), null, 'a flipped bit is seen')
    }),
    { numRuns: 30 },
  )
})

t.test('a Bloom filter forgets nothing, stored or shrunk', async (t) => {
  const filter = BloomFilter.sized(100_000)
  const names = Array.from({ length: 5000 }, (_, i) => bloomHash(`name ${i}`))
  for (const hash of names) filter.add(hash)
  const small = BloomFilter.from(filter.shrunk(5000).toBuffer())
  t.ok(small.toBuffer().length < filter.toBuffer().length / 8)
  t.ok(names.every((hash) => filter.mayHave(hash) && small.mayHave(hash)))
  const wrong = Array.from({ length: 10_000 }, (_, i) => bloomHash(`other ${i}`)).filter((hash) => small.mayHave(hash))
  t.ok(wrong.length < 100, `${wrong.length} false answers of 10,000`)
})

t.test('packets keep their fields, text and bytes apart', async (t) => {
  const properties = { correlationData: Buffer.from([0, 255]), userProperties: { a: ['b'] } }
  for (const payload of [undefined, '', 'text', Buffer.alloc(0), Buffer.from([0, 200])]) {
    const packet = { cmd: 'publish', topic: 't', properties, ...(payload === undefined ? {} : { payload }) }
    t.strictSame(decodePacket(encodePacket(packet)), packet)
  }
})

t.test('however long somebody asks what is replaced, and however much is, a bounded part of it is kept', async (t) => {
  const cuts = new RetainedCuts(10, 100)
  const begun = () => {
    const cut = cuts.cut()
    cuts.begin(cut.id)
    return cut
  }
  const first = begun()
  for (let i = 0; i < 10; i++) cuts.note(`t/${i}`)
  t.ok(first.complete)
  t.ok(first.replaced('t/0'))
  const later = begun()
  cuts.note('t/10')
  t.notOk(first.complete, 'what it is told may be too little')
  t.notOk(first.replaced('t/0'))
  t.ok(first.replaced('t/1') && first.replaced('t/10'))
  t.ok(later.complete, 'for it nothing is missing')
  cuts.note(`t/${'x'.repeat(97)}`)
  t.ok(later.replaced(`t/${'x'.repeat(97)}`))
  t.notOk(later.replaced('t/10') || later.complete, 'long topics count for what they are')
  first.end()
  later.end()
  const next = begun()
  for (let i = 0; i < 10; i++) cuts.note(`t/${i}`)
  t.ok(next.complete && next.replaced('t/0'), 'with those who asked it is over')
})
