/** Images are written anew, each by a process of its own. */
import { fileURLToPath } from 'node:url'
import { Refusal } from '../../../schemas/errors.js'
import type { ChildProcesses, ProcessLimits } from '../processes/child-processes.js'
import type { ImageOutcome, ImageTask } from './image-task.js'

const PROGRAM = fileURLToPath(new URL('./image-process.js', import.meta.url))

export interface ImageLimits extends ProcessLimits {
  readonly pixels: number
  /** Pixels. */
  readonly thumbnail: number
}

/** Media types that are written anew, with the format in which they are. */
const FORMATS: Readonly<Record<string, ImageTask['format']>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  // AVIF takes a hundred times as long to write.
  'image/avif': 'webp',
}

export interface ConvertedImage extends ImageOutcome {
  readonly mime: string
}

export class Images {
  readonly #limits: ImageLimits
  readonly #processes: Pick<ChildProcesses, 'run'>

  constructor(limits: ImageLimits, processes: Pick<ChildProcesses, 'run'>) {
    this.#limits = limits
    this.#processes = processes
  }

  takes(mime: string): boolean {
    return Object.hasOwn(FORMATS, mime)
  }

  /**
   * Writes the image `from` anew to `to`, and a small one to `small`.
   * @param user On whose behalf: users take turns
   * @throws Refusal `bad_request` if it is no image of this type, or beyond the limits; `unavailable` if it was not tried
   */
  async convert(user: string, mime: string, paths: Pick<ImageTask, 'from' | 'to' | 'small'>): Promise<ConvertedImage> {
    const { pixels, thumbnail, ...limits } = this.#limits
    const format = FORMATS[mime]!
    const task: ImageTask = { ...paths, pixels, thumbnail, format }
    const outcome = await this.#processes.run<ImageOutcome>(user, PROGRAM, task, limits)
    if ('refused' in outcome) throw new Refusal('bad_request', `the image cannot be read: ${outcome.refused}`)
    return { ...outcome, mime: `image/${format}` }
  }
}
