import type { ComponentChildren } from 'preact'
import { Name } from '../../ui/name.js'
import { PersonAvatar } from '../../ui/person-avatar.js'

interface PersonEntryProps {
  readonly user: string
  readonly name: string
  /** What there is to say of them. */
  readonly more: ComponentChildren
  /** A button at the end. */
  readonly children?: ComponentChildren
}

/** A person in a list. */
export function PersonEntry({ user, name, more, children }: PersonEntryProps) {
  return (
    <div class="result">
      <PersonAvatar user={user} />
      <span class="result-title">
        <Name text={name} fallback={user} isLine />
      </span>
      <span class="result-more">{more}</span>
      {children}
    </div>
  )
}
