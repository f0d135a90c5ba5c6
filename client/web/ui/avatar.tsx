import { useState } from 'preact/hooks'
import { plainLine } from './plain.js'

const HUES = 8
/** Small enough to be in a profile. What is elsewhere would tell there who looks at it. */
const PICTURE = /^data:image\/(?:png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+=*$/

interface AvatarProps {
  readonly id: string
  readonly name: string
  /** Of a profile or a room; shown if it is in the address itself (`data:`). */
  readonly picture?: string | null | undefined
  readonly size?: 'tiny' | 'small' | 'medium' | 'large'
}

/** A picture, or the first letter of a name on a colour of its own. Decoration: the name stands beside it. */
export function Avatar({ id, name, picture, size = 'medium' }: AvatarProps) {
  const [broken, setBroken] = useState<string | null>(null)
  const [letter = '?'] = plainLine(name, id)
  const isShown = isPicture(picture) && picture !== broken
  return (
    <span class={`avatar ${size} hue-${hueOf(id)}`} aria-hidden="true">
      {isShown ? <img src={picture} alt="" onError={() => setBroken(picture)} /> : letter.toLocaleUpperCase()}
    </span>
  )
}

export function isPicture(address: string | null | undefined): address is string {
  return address != null && PICTURE.test(address)
}

/** The same for an id each time. */
export function hueOf(id: string): number {
  let sum = 0
  for (let at = 0; at < id.length; at++) sum = (sum * 31 + id.charCodeAt(at)) % 9973
  return sum % HUES
}
