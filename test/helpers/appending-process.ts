/** A process that appends as fast as it can and reports every acknowledged seq to its parent, until it is killed. */

import { body } from '../../broker/store/body.js'
import type { AppendResult, StoreError } from '../../broker/store/changes.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'

const LOGS = 5
const AT_ONCE = 50

const store = await openLevelStore({
  location: process.argv[2]!,
  sync: true,
  limits: { queueMessages: 1000, queueBytes: 1_000_000 },
  fold: { entries: 200 },
})
let sent = 0

function append(): void {
  const number = ++sent
  const log = `m:${number % LOGS}`
  const cid = `${process.pid}-${number}`
  const settled = (error: StoreError | null, [result]: readonly AppendResult[]): void => {
    if (error || !result) throw error ?? new Error('no result')
    process.send?.({ log, cid, seq: result.seq })
    append()
  }
  const draft = { log, id: cid, ts: 1, from: 'ann', qos: 1, body: body(`{"cid":"${cid}","seq":`, '}') } as const
  store.commit({ drafts: [{ ...draft, dedupe: { cid, hash: 'h' } }], ops: [], settled })
}

for (let i = 0; i < AT_ONCE; i++) append()
