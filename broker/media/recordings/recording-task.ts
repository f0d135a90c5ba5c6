/** What the process for an audio or video is given, and what it answers. */

/** Media types that are read. */
export const RECORDING_TYPES = [
  ...(['audio/mp4', 'video/mp4', 'video/quicktime', 'video/webm', 'video/x-matroska'] as const),
  ...(['audio/ogg', 'video/ogg', 'audio/mpeg', 'audio/wav', 'audio/flac'] as const),
] as const
export type RecordingType = (typeof RECORDING_TYPES)[number]

export interface RecordingTask {
  /** Path. */
  readonly from: string
  readonly mime: RecordingType
  /** Most bytes to read of it. */
  readonly bytes: number
}

export interface RecordingOutcome {
  /** Pixels, as it is to be shown; absent: there is no video in it. */
  readonly width?: number
  readonly height?: number
  /** Seconds. */
  readonly duration: number
}
