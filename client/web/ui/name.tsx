import { plainLine } from './plain.js'

interface NameProps {
  readonly text: string | null | undefined
  /** Shown if nothing of it is visible. */
  readonly fallback?: string
  /** It has a line of its own, and is cut at its own end. */
  readonly isLine?: boolean
}

/** What somebody chose to be called: its direction is its own, and does not reach what stands beside it. */
export function Name({ text, fallback = '', isLine = false }: NameProps) {
  return <bdi class={isLine ? 'line' : undefined}>{plainLine(text ?? '', fallback)}</bdi>
}
