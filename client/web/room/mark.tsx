import { Icon } from '../ui/icon.js'

const ICONS = { clock: 'clock', sent: 'sent', delivered: 'delivered', read: 'delivered' } as const

/** All but the clock say that it was sent. */
export function Mark({ kind, text }: { kind: keyof typeof ICONS; text: string }) {
  return (
    <span class={kind === 'clock' ? 'mark clock' : `mark sent ${kind}`} title={text}>
      <Icon name={ICONS[kind]} />
      <span class="hidden-text">{text}</span>
    </span>
  )
}
