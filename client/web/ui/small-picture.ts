import { ChatError } from '../../index.js'

/** Characters of the address of a picture in a profile. */
const MOST = 2048
/** Pixels of a side, and how good it looks: the first that is short enough is taken. */
const SIDES = [96, 80, 64, 48, 32]
const QUALITIES = [0.8, 0.6, 0.4]

/** The middle of a picture as an address that is the picture. Rejects with a `ChatError` `bad_request` if it cannot be read. */
export async function smallPicture(file: Blob): Promise<string> {
  const image = await createImageBitmap(file).catch((cause: unknown) => {
    throw new ChatError('bad_request', 'this is no picture', { field: 'avatar', cause })
  })
  try {
    for (const side of SIDES) {
      const canvas = squareOf(image, side)
      for (const quality of QUALITIES) {
        const address = encoded(canvas, quality)
        if (address.length <= MOST) return address
      }
    }
  } finally {
    image.close()
  }
  throw new ChatError('too_large', 'the picture cannot be made small enough', { field: 'avatar' })
}

function squareOf(image: ImageBitmap, side: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = side
  canvas.height = side
  const context = canvas.getContext('2d')!
  const edge = Math.min(image.width, image.height)
  context.imageSmoothingQuality = 'high'
  // What is transparent would be black in a JPEG.
  context.fillStyle = '#fff'
  context.fillRect(0, 0, side, side)
  context.drawImage(image, (image.width - edge) / 2, (image.height - edge) / 2, edge, edge, 0, 0, side, side)
  return canvas
}

/** Some browsers write no WebP. */
function encoded(canvas: HTMLCanvasElement, quality: number): string {
  const address = canvas.toDataURL('image/webp', quality)
  return address.startsWith('data:image/webp') ? address : canvas.toDataURL('image/jpeg', quality)
}
