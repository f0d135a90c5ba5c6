/** A program for one audio or video, in a process of its own. It reads how long it lasts and how large it is, from as few of its bytes as its format allows. */
import { fstatSync, openSync, readSync } from 'node:fs'
import {
  CustomSource,
  FLAC,
  Input,
  type InputFormat,
  MATROSKA,
  MP3,
  MP4,
  OGG,
  QTFF,
  type Source,
  WAVE,
  WEBM,
} from 'mediabunny'
import { answerWith, takeTask } from '../processes/child-program.js'
import type { RecordingOutcome, RecordingTask, RecordingType } from './recording-task.js'

/** Playlists, which refer to other files, are none of them. */
const FORMATS: Readonly<Record<RecordingType, InputFormat>> = {
  'audio/mp4': MP4,
  'video/mp4': MP4,
  'video/quicktime': QTFF,
  'video/webm': WEBM,
  'video/x-matroska': MATROSKA,
  'audio/ogg': OGG,
  'video/ogg': OGG,
  'audio/mpeg': MP3,
  'audio/wav': WAVE,
  'audio/flac': FLAC,
}

const task = takeTask<RecordingTask>()

await answerWith(found)

async function found(): Promise<RecordingOutcome> {
  const format = FORMATS[task.mime]
  const input = new Input({ formats: [format], source: boundedSource() })
  // Frames of MP3 have no index: their number follows from the first ones and the size.
  const seconds = await (format === MP3 ? input.getDurationFromMetadata() : input.computeDuration())
  if (!seconds || seconds <= 0) throw new Error('there is nothing in it')
  const video = await input.getPrimaryVideoTrack()
  const size = video && { width: await video.getDisplayWidth(), height: await video.getDisplayHeight() }
  return { ...size, duration: Math.round(seconds * 1000) / 1000 }
}

function boundedSource(): Source {
  const file = openSync(task.from, 'r')
  let left = task.bytes
  const read = (start: number, end: number): Uint8Array => {
    left -= end - start
    if (left < 0) throw new Error(`more than ${task.bytes} of its bytes would have to be read`)
    const piece = new Uint8Array(end - start)
    return piece.subarray(0, readSync(file, piece, 0, piece.length, start))
  }
  return new CustomSource({ getSize: () => fstatSync(file).size, read, prefetchProfile: 'fileSystem' })
}
