/** How loud something is over its time. Decoration. */
interface BarsProps {
  /** 0 to 100. */
  readonly levels: readonly number[]
  /** How much of it was played, 0 to 1. */
  readonly played: number
}

const HEIGHT = 24
const WIDTH = 3
const STEP = 5
/** A quiet moment is seen, too. */
const LEAST = 2

export function Bars({ levels, played }: BarsProps) {
  const width = Math.max(1, levels.length) * STEP
  return (
    <svg class="bars" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {levels.map((level, at) => {
        const height = Math.max(LEAST, (level * HEIGHT) / 100)
        const isPlayed = (at + 1) / levels.length <= played
        const place = { x: at * STEP, y: (HEIGHT - height) / 2, width: WIDTH, height, rx: 1.5 }
        // Bars have no name but their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: they are only appended
        return <rect key={at} {...place} class={isPlayed ? 'played' : ''} />
      })}
    </svg>
  )
}
