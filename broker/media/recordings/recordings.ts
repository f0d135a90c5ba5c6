/** What is known of audio and video: read from their bytes, each by a process of its own. */
import { fileURLToPath } from 'node:url'
import type { FileFacts } from '../../store/files.js'
import type { ChildProcesses, ProcessLimits } from '../processes/child-processes.js'
import { RECORDING_TYPES, type RecordingOutcome, type RecordingTask, type RecordingType } from './recording-task.js'

const PROGRAM = fileURLToPath(new URL('./recording-process.js', import.meta.url))
/** Pixels, and seconds: what an attachment can state. */
const MOST_PIXELS = 1_000_000
const LONGEST = 1e9

export interface RecordingLimits extends ProcessLimits {
  /** Bytes of a file that are read. */
  readonly bytes: number
}

export class Recordings {
  readonly #limits: RecordingLimits
  readonly #processes: Pick<ChildProcesses, 'run'>

  constructor(limits: RecordingLimits, processes: Pick<ChildProcesses, 'run'>) {
    this.#limits = limits
    this.#processes = processes
  }

  takes(mime: string): mime is RecordingType {
    return (RECORDING_TYPES as readonly string[]).includes(mime)
  }

  /**
   * Nothing of one that cannot be read within the limits: it is a file like others.
   * @param user On whose behalf: users take turns
   * @throws Refusal `unavailable` if it was not tried
   */
  async read(user: string, { from, mime }: Pick<RecordingTask, 'from' | 'mime'>): Promise<FileFacts> {
    const { bytes, ...limits } = this.#limits
    const task: RecordingTask = { from, mime, bytes }
    const outcome = await this.#processes.run<RecordingOutcome>(user, PROGRAM, task, limits)
    return 'refused' in outcome || !isSensible(outcome) ? {} : outcome
  }
}

function isSensible({ width = 1, height = 1, duration }: RecordingOutcome): boolean {
  const isSize = [width, height].every((pixels) => Number.isInteger(pixels) && pixels >= 1 && pixels <= MOST_PIXELS)
  return isSize && Number.isFinite(duration) && duration > 0 && duration <= LONGEST
}
