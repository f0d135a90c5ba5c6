/** The manifest of the web app, by which systems install it: with the name, colour and picture of the server. */
import type { Config } from '../../schemas/config.js'
import { LOGO_PATH, WEB_PATHS } from '../../schemas/web-paths.js'
import type { Icon } from './web-files.js'

const ACCENT = '#3457d5'

/** By language: what one may begin with from the icon of the app. */
const SHORTCUTS = {
  zh: { direct: '写给某人', find: '查找房间' },
  ar: { direct: 'مراسلة شخص', find: 'البحث عن غرفة' },
  en: { direct: 'Write to someone', find: 'Find a room' },
} as const

type Language = keyof typeof SHORTCUTS

/**
 * @param icons Those of the app, as the build made them
 * @param logo Media type of the picture of the server; null: it has none
 * @param languages Accept-Language
 */
export function webManifest(
  { name, color }: Config['server'],
  icons: readonly Icon[],
  logo: string | null,
  languages = '',
): object {
  const own = logo === null ? [] : [{ src: LOGO_PATH, sizes: 'any', type: logo }]
  const language = preferred(languages)
  return {
    id: WEB_PATHS.home,
    name,
    short_name: name,
    lang: language,
    start_url: WEB_PATHS.home,
    scope: WEB_PATHS.home,
    display: 'standalone',
    background_color: '#ffffff',
    theme_color: color ?? ACCENT,
    icons: [...own, ...icons],
    shortcuts: Object.entries(SHORTCUTS[language]).map(([what, name]) => ({
      name,
      url: `${WEB_PATHS.home}?do=${what}`,
    })),
  }
}

/** The first that is known; its weight is not looked at, as browsers write them best first. */
function preferred(languages: string): Language {
  const tags = languages.split(',').map((tag) => tag.trim().slice(0, 2).toLowerCase())
  return tags.find((tag): tag is Language => Object.hasOwn(SHORTCUTS, tag)) ?? 'en'
}
