/** A voice message that is being recorded: the microphone is open from `start` to `stop` or `cancel`. */
import { signal } from '@preact/signals'

export interface Recorded {
  readonly file: File
  /** Seconds. */
  readonly duration: number
  /** How loud it is at equal distances, 0 to 100. */
  readonly waveform: number[]
}

/** What most browsers play comes first. Empty: as the browser likes. */
const TYPES = ['audio/mp4;codecs=mp4a.40.2', 'audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus', '']
const ENDINGS: Readonly<Record<string, string>> = { 'audio/mp4': 'm4a', 'audio/ogg': 'ogg' }
/** Ms between two looks at how loud it is. */
const LOOK_EVERY = 100
/** Seconds. It stops by itself then, and can be sent. */
const LONGEST = 900
/** Of a waveform. */
const BARS = 48
const BITS = 32_000

export class Recording {
  readonly seconds = signal(0)
  /** How loud it was last, the newest at the end: 0 to 100. */
  readonly levels = signal<readonly number[]>(new Array(BARS).fill(0))
  readonly #stream: MediaStream
  readonly #recorder: MediaRecorder
  readonly #context: AudioContext
  readonly #analyser: AnalyserNode
  readonly #timer: ReturnType<typeof setInterval>
  readonly #parts: Blob[] = []
  readonly #began = performance.now()
  readonly #all: number[] = []

  /** Rejects with a `DOMException`: `NotAllowedError` if the person or the browser refuses it. */
  static async start(): Promise<Recording> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    try {
      return new Recording(stream)
    } catch (error) {
      stop(stream)
      throw error
    }
  }

  private constructor(stream: MediaStream) {
    this.#stream = stream
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? ''
    this.#recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS })
    this.#recorder.ondataavailable = ({ data }) => void this.#parts.push(data)
    this.#context = new AudioContext()
    this.#analyser = this.#context.createAnalyser()
    this.#context.createMediaStreamSource(stream).connect(this.#analyser)
    this.#recorder.start()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY)
  }

  /** Null: nothing was recorded. */
  async stop(): Promise<Recorded | null> {
    const duration = this.seconds.peek()
    if (this.#recorder.state !== 'inactive') {
      const stopped = new Promise((resolve) => {
        this.#recorder.onstop = resolve
      })
      this.#recorder.stop()
      await stopped
    }
    this.cancel()
    const [type = ''] = this.#recorder.mimeType.split(';')
    const file = new File(this.#parts, `voice.${ENDINGS[type] ?? 'webm'}`, { type })
    return file.size > 0 && duration > 0 ? { file, duration, waveform: waveformOf(this.#all) } : null
  }

  cancel(): void {
    clearInterval(this.#timer)
    stop(this.#stream)
    void this.#context.close().catch(() => {})
  }

  #look(): void {
    if (this.#recorder.state !== 'recording') return
    this.seconds.value = Math.round((performance.now() - this.#began) / 100) / 10
    this.#all.push(this.#level())
    this.levels.value = [...this.levels.peek().slice(1), this.#all.at(-1)!]
    if (this.seconds.peek() < LONGEST) return
    this.#recorder.stop()
    stop(this.#stream)
  }

  /** Speech is seldom loud: its root is shown, as ears hear it. */
  #level(): number {
    const samples = new Uint8Array(this.#analyser.fftSize)
    this.#analyser.getByteTimeDomainData(samples)
    const peak = samples.reduce((most, one) => Math.max(most, Math.abs(one - 128)), 0)
    return Math.min(100, Math.round(Math.sqrt(peak / 128) * 100))
  }
}

/** Closes the microphone. */
function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function waveformOf(levels: readonly number[]): number[] {
  const count = Math.max(1, Math.min(BARS, levels.length))
  return Array.from({ length: count }, (_, at) => {
    const part = levels.slice(Math.floor((at * levels.length) / count), Math.ceil(((at + 1) * levels.length) / count))
    return Math.max(0, ...part)
  })
}
