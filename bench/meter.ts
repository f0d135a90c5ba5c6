/** CPU and memory of a broker and of the load between two moments. */
import type { Worker } from './load/worker.js'
import { cpuSeconds, residentBytes } from './measure.js'
import type { RunningPeer } from './peers/peer.js'

export interface Usage {
  readonly seconds: number
  readonly brokerCpu: number
  readonly deliveries: number
  readonly published: number
  /** Of the busiest process of the load. */
  readonly loadCpu: number
}

interface Moment {
  readonly at: number
  readonly brokerCpu: number
  readonly workers: readonly { readonly deliveries: number; readonly published: number; readonly cpu: number }[]
}

export class Meter {
  readonly #broker: RunningPeer
  readonly #workers: readonly Worker[]
  readonly #start: Moment

  private constructor(broker: RunningPeer, workers: readonly Worker[], start: Moment) {
    this.#broker = broker
    this.#workers = workers
    this.#start = start
  }

  static async start(broker: RunningPeer, workers: readonly Worker[]): Promise<Meter> {
    return new Meter(broker, workers, await moment(broker, workers))
  }

  /** Since the start. */
  async read(): Promise<Usage> {
    const end = await moment(this.#broker, this.#workers)
    const spent = end.workers.map((worker, i) => {
      const before = this.#start.workers[i]!
      return {
        deliveries: worker.deliveries - before.deliveries,
        published: worker.published - before.published,
        cpu: worker.cpu - before.cpu,
      }
    })
    return {
      seconds: end.at - this.#start.at,
      brokerCpu: end.brokerCpu - this.#start.brokerCpu,
      deliveries: spent.reduce((total, { deliveries }) => total + deliveries, 0),
      published: spent.reduce((total, { published }) => total + published, 0),
      loadCpu: Math.max(...spent.map(({ cpu }) => cpu)),
    }
  }
}

async function moment(broker: RunningPeer, workers: readonly Worker[]): Promise<Moment> {
  const samples = await Promise.all(workers.map((worker) => worker.call('sample')))
  return { at: performance.now() / 1000, brokerCpu: cpuSeconds(broker.pid), workers: samples }
}

export function sharesOf({ seconds, brokerCpu, loadCpu }: Usage): { brokerShare: number; loadShare: number } {
  return { brokerShare: brokerCpu / seconds, loadShare: loadCpu / seconds }
}

const SAMPLE_MS = 200

/** The most memory that a broker has while `use` runs. */
export async function peakWhile<T>(broker: RunningPeer, use: () => Promise<T>): Promise<[T, number]> {
  let peak = residentBytes(broker.pid)
  const sampling = setInterval(() => {
    peak = Math.max(peak, residentBytes(broker.pid))
  }, SAMPLE_MS)
  try {
    return [await use(), Math.max(peak, residentBytes(broker.pid))]
  } finally {
    clearInterval(sampling)
  }
}
