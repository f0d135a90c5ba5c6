/** What the process for an image is given, and what it answers. */

export interface ImageTask {
  /** Paths: of the image, of where it is written anew, of the small one. */
  readonly from: string
  readonly to: string
  readonly small: string
  readonly format: 'jpeg' | 'png' | 'gif' | 'webp'
  /** Most pixels, of all frames together. */
  readonly pixels: number
  /** Pixels of the longer side of the small one. */
  readonly thumbnail: number
}

export interface ImageOutcome {
  readonly width: number
  readonly height: number
  readonly size: number
  readonly placeholder: string
}
