/** CPU and memory of brokers and of the load between two moments. */
import type { Worker } from './load/worker.js'
import { cpuSeconds, residentBytes } from './measure.js'
import type { RunningPeer } from './peers/peer.js'

export interface Usage {
  readonly seconds: number
  /** Of all nodes. */
  readonly brokerCpu: number
  readonly redisCpu: number
  readonly deliveries: number
  readonly published: number
  /** Of the busiest process of the load. */
  readonly loadCpu: number
}

interface Moment {
  readonly at: number
  readonly brokerCpu: number
  readonly redisCpu: number
  readonly workers: readonly { readonly deliveries: number; readonly published: number; readonly cpu: number }[]
}

export class Meter {
  readonly #nodes: readonly RunningPeer[]
  readonly #redis: RunningPeer | null
  readonly #workers: readonly Worker[]
  readonly #start: Moment

  private constructor(
    nodes: readonly RunningPeer[],
    workers: readonly Worker[],
    redis: RunningPeer | null,
    start: Moment,
  ) {
    this.#nodes = nodes
    this.#redis = redis
    this.#workers = workers
    this.#start = start
  }

  /** @param redis What the nodes store in, if they do */
  static async start(
    nodes: readonly RunningPeer[],
    workers: readonly Worker[],
    redis: RunningPeer | null = null,
  ): Promise<Meter> {
    return new Meter(nodes, workers, redis, await moment(nodes, workers, redis))
  }

  /** Since the start. */
  async read(): Promise<Usage> {
    const end = await moment(this.#nodes, this.#workers, this.#redis)
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
      redisCpu: end.redisCpu - this.#start.redisCpu,
      deliveries: spent.reduce((total, { deliveries }) => total + deliveries, 0),
      published: spent.reduce((total, { published }) => total + published, 0),
      loadCpu: Math.max(...spent.map(({ cpu }) => cpu)),
    }
  }
}

async function moment(
  nodes: readonly RunningPeer[],
  workers: readonly Worker[],
  redis: RunningPeer | null,
): Promise<Moment> {
  const samples = await Promise.all(workers.map((worker) => worker.call('sample')))
  const brokerCpu = nodes.reduce((total, { pid }) => total + cpuSeconds(pid), 0)
  return { at: performance.now() / 1000, brokerCpu, redisCpu: redis ? cpuSeconds(redis.pid) : 0, workers: samples }
}

export function sharesOf({
  seconds,
  brokerCpu,
  redisCpu,
  loadCpu,
}: Usage): Record<'brokerShare' | 'redisShare' | 'loadShare', number> {
  return { brokerShare: brokerCpu / seconds, redisShare: redisCpu / seconds, loadShare: loadCpu / seconds }
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
