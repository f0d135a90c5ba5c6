/** The name, colour and picture of this server, as the page says them. */

interface Brand {
  readonly name: string
  /** `#rrggbb`; empty: that of the app. */
  readonly color: string
  /** Path of a picture; empty: none. */
  readonly logo: string
  /** Path of MQTT over WebSocket. */
  readonly wsPath: string
  /** Of the app, as it was built. */
  readonly version: string
}

const {
  name = 'TopicTalk',
  color = '',
  logo = '',
  wsPath = '/mqtt',
  version = '',
} = document.querySelector<HTMLMetaElement>('meta[name=topictalk]')?.dataset ?? {}

export const brand: Brand = { name, color, logo, wsPath, version }

/** Of the WebSocket. */
export const brokerUrl = `${location.origin.replace(/^http/, 'ws')}${wsPath}`

export function showBrand(): void {
  if (logo !== '') document.querySelector<HTMLLinkElement>('link[rel=icon]')?.setAttribute('href', logo)
  if (color === '') return
  const { style } = document.documentElement
  style.setProperty('--accent', color)
  style.setProperty('--on-accent', isBright(color) ? '#000' : '#fff')
}

/** Whether black on it reads better than white: where its relative luminance is above that of equal contrast to both. */
function isBright(hex: string): boolean {
  const [red, green, blue] = [1, 3, 5].map((at) => linear(Number.parseInt(hex.slice(at, at + 2), 16) / 255))
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue! > 0.179
}

function linear(part: number): number {
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
}
