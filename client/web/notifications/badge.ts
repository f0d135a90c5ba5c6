/** How much is unread, at the icons of the tab and of the installed app. */
import { effect } from '@preact/signals'
import { badge } from '../state/title.js'

/** Pixels of the icon. */
const SIZE = 64

/** Returns what ends it. */
export function followBadge(): () => void {
  const stops = [followInstalled(), followIcon()]
  return () => {
    for (const stop of stops) stop()
  }
}

function followInstalled(): () => void {
  return effect(() => {
    // Not every browser has it, and some refuse it to pages that are not installed.
    const counted = badge.value > 0 ? navigator.setAppBadge?.(badge.value) : navigator.clearAppBadge?.()
    counted?.catch(() => {})
  })
}

function followIcon(): () => void {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (!link) return () => {}
  const plain = link.href
  let dotted: Promise<string> | null = null
  return effect(() => {
    if (badge.value === 0) {
      link.href = plain
      return
    }
    dotted ??= withDot(plain)
    // An icon that cannot be drawn stays as it is.
    dotted
      .then((icon) => {
        if (badge.peek() > 0) link.href = icon
      })
      .catch(() => {})
  })
}

/** The picture with a dot in its corner. */
async function withDot(icon: string): Promise<string> {
  const image = new Image(SIZE, SIZE)
  image.src = icon
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = SIZE
  canvas.height = SIZE
  const drawn = canvas.getContext('2d')!
  drawn.drawImage(image, 0, 0, SIZE, SIZE)
  drawn.fillStyle = '#e5484d'
  drawn.beginPath()
  drawn.arc(SIZE * 0.75, SIZE * 0.25, SIZE * 0.25, 0, 2 * Math.PI)
  drawn.fill()
  return canvas.toDataURL()
}
