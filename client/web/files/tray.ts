/** Files that were chosen for a message and not sent yet, of each room. They last as long as the page. */
import { type Signal, signal } from '@preact/signals'
import type { Attach } from '../../index.js'
import { ofRoom } from '../state/of-chat.js'
import type { Recorded } from './recording.js'

export interface Picked {
  readonly id: number
  readonly file: File
  /** Address of what it looks like; null: it is no picture that this browser can show. */
  readonly preview: string | null
  /** What the message says of it besides. */
  readonly about: {
    readonly alt?: string
    readonly width?: number
    readonly height?: number
  }
}

export type Tray = Signal<readonly Picked[]>

const SHOWN = /^image\/(jpeg|png|gif|webp|avif)$/

let last = 0

export const trayOf = ofRoom((): Tray => signal([]))

export function pick(tray: Tray, files: readonly File[]): void {
  for (const file of files) {
    const picked = pickedOf(file)
    tray.value = [...tray.value, picked]
    if (picked.preview) void measure(tray, picked.id, picked.preview)
  }
}

export function describe(tray: Tray, id: number, about: Picked['about']): void {
  tray.value = tray.value.map((one) => (one.id === id ? { ...one, about: { ...one.about, ...about } } : one))
}

export function unpick(tray: Tray, id: number): void {
  const gone = tray.value.find((one) => one.id === id)
  if (gone?.preview) URL.revokeObjectURL(gone.preview)
  tray.value = tray.value.filter((one) => one.id !== id)
}

/** One place towards the first. */
export function advance(tray: Tray, id: number): void {
  const files = [...tray.value]
  const at = files.findIndex((one) => one.id === id)
  if (at > 0) files.splice(at - 1, 2, files[at]!, files[at - 1]!)
  tray.value = files
}

export function empty(tray: Tray): void {
  for (const { id } of tray.value) unpick(tray, id)
}

/** What was recorded, as it is sent. */
export function attachRecorded({ file, duration, waveform }: Recorded): Attach {
  return { bytes: file, name: file.name, type: file.type, attachment: { duration, waveform } }
}

export function attachOf({ file, about }: Picked): Attach {
  const { alt, ...more } = about
  return {
    bytes: file,
    name: file.name,
    type: file.type,
    attachment: { ...more, ...(alt?.trim() && { alt: alt.trim() }) },
  }
}

function pickedOf(file: File): Picked {
  const preview = SHOWN.test(file.type) ? URL.createObjectURL(file) : null
  return { id: ++last, file, preview, about: {} }
}

/** So that its place in the room has the right shape at once: the broker says the same later. What cannot be read is a file like others. */
async function measure(tray: Tray, id: number, url: string): Promise<void> {
  const image = new Image()
  image.src = url
  try {
    await image.decode()
    describe(tray, id, { width: image.naturalWidth, height: image.naturalHeight })
  } catch {
    tray.value = tray.value.map((one) => (one.id === id ? { ...one, preview: null } : one))
    URL.revokeObjectURL(url)
  }
}
