import { useEffect, useRef } from 'preact/hooks'

const SIDE = 32

/** What a picture is going to look like, from afar. Decoration: without it there is a grey place. */
export function Blur({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const draw = async (): Promise<void> => {
      const { pixelsOf } = await import('./blur-hash.js')
      const pixels = pixelsOf(hash, SIDE)
      if (pixels) canvas.current?.getContext('2d')?.putImageData(new ImageData(pixels, SIDE, SIDE), 0, 0)
    }
    draw().catch(() => {})
  }, [hash])
  return <canvas ref={canvas} class="blur" width={SIDE} height={SIDE} />
}
