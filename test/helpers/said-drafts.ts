/** Messages as the pipeline makes them, for very many at once: written to the store itself. */
import { body } from '../../broker/store/body.js'
import type { Draft } from '../../broker/store/changes.js'

export function drafter(room: string, from = 'alice'): (text: string, ts?: number) => Draft {
  let count = 0
  return (text, ts = Date.now()) => {
    const id = `${room}-${++count}`
    const head = `{"id":"${id}","room":"${room}","seq":`
    const tail = `,"ts":${ts},"from":"${from}","type":"text","text":${JSON.stringify(text)}}`
    return { log: `m:${room}`, id, ts, from, qos: 1, body: body(head, tail), dedupe: null }
  }
}
