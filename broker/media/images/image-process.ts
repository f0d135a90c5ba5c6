/**
 * A program for one image, in a process of its own. It reads the image, writes
 * it anew (without location, camera and whatever else was in it) and a small one beside it, and prints what it found as JSON.
 */
import { encode } from 'blurhash'
import sharp, { type Sharp, type SharpOptions } from 'sharp'
import { answerWith, takeTask } from '../processes/child-program.js'
import type { ImageOutcome, ImageTask } from './image-task.js'

/** Pixels of the longer side. */
const PLACEHOLDER = 32
/** Of a BlurHash: horizontal and vertical components. */
const COMPONENTS = [4, 3] as const

const task = takeTask<ImageTask>()

// Formats that other decoders than those of the table would take, and those which can refer to other files.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadNsgif',
    'VipsForeignLoadHeif',
  ],
})
sharp.concurrency(1)
sharp.cache(false)

await answerWith(converted)

async function converted(): Promise<ImageOutcome> {
  const { width, height, size } = await written()
  await sharp(task.from, options({}))
    .autoOrient()
    .toColourspace('srgb')
    .resize({ width: task.thumbnail, height: task.thumbnail, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 75 })
    .toFile(task.small)
  return { width, height, size, placeholder: await placeholder() }
}

/** All frames. */
async function written(): Promise<{ width: number; height: number; size: number }> {
  const image = sharp(task.from, options({ animated: true }))
    .autoOrient()
    .toColourspace('srgb')
  const { width, height, pageHeight, size } = await inFormat(image).toFile(task.to)
  return { width, height: pageHeight ?? height, size }
}

function inFormat(image: Sharp): Sharp {
  switch (task.format) {
    case 'jpeg':
      return image.jpeg({ quality: 88 })
    case 'png':
      return image.png()
    case 'gif':
      return image.gif()
    default:
      return image.webp({ quality: 88 })
  }
}

/** Of the small image, which takes less to read. */
async function placeholder(): Promise<string> {
  const small = sharp(task.small).resize({ width: PLACEHOLDER, height: PLACEHOLDER, fit: 'inside' }).ensureAlpha().raw()
  const { data, info } = await small.toBuffer({ resolveWithObject: true })
  return encode(new Uint8ClampedArray(data), info.width, info.height, ...COMPONENTS)
}

function options(more: SharpOptions): SharpOptions {
  return { limitInputPixels: task.pixels, failOn: 'error', sequentialRead: true, ...more }
}
