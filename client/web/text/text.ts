/** All that the app says, in the language of the person. */
import { batch, type ReadonlySignal, signal } from '@preact/signals'
import { save, saved } from '../state/saved.js'
import { type Catalogue, type CatalogueOf, en } from './en.js'

interface Language {
  readonly name: string
  readonly dir: 'ltr' | 'rtl'
  load(): Promise<Catalogue>
}

export const LANGUAGES = {
  en: { name: 'English', dir: 'ltr', load: async () => en },
  zh: { name: '中文', dir: 'ltr', load: async () => (await import('./zh.js')).zh },
  ar: { name: 'العربية', dir: 'rtl', load: async () => (await import('./ar.js')).ar },
} satisfies Record<string, Language>

export type Locale = keyof typeof LANGUAGES

export const texts = signal<Catalogue>(en)
export const locale = signal<Locale>('en')

/** Loads the texts of a part of the app in a language, and gives what shows them. */
type Loader = (locale: Locale) => Promise<() => void>

const parts: Loader[] = [
  async (chosen) => {
    const loaded = await LANGUAGES[chosen].load()
    return () => {
      texts.value = loaded
    }
  },
]

/**
 * The texts of a part of the app that is loaded when it is first shown; they follow the language of the person. They are English where
 * another language cannot be loaded, so that a part is never without texts.
 */
export async function textsOf<T>(
  english: T,
  loads: Readonly<Record<Exclude<Locale, 'en'>, () => Promise<CatalogueOf<T>>>>,
): Promise<ReadonlySignal<CatalogueOf<T>>> {
  const own = signal(english as CatalogueOf<T>)
  const load: Loader = async (chosen) => {
    const loaded = chosen === 'en' ? (english as CatalogueOf<T>) : await loads[chosen]()
    return () => {
      own.value = loaded
    }
  }
  parts.push(load)
  await load(locale.peek()).then(
    (show) => show(),
    () => {},
  )
  return own
}

/** Resolves when the texts of the person's language are there; of English, if they cannot be loaded. */
export async function startTexts(): Promise<void> {
  await show(preferred()).catch(() => {})
}

export async function chooseLocale(chosen: Locale): Promise<void> {
  await show(chosen)
  save('locale', chosen)
}

export function isLocale(name: string): name is Locale {
  return Object.hasOwn(LANGUAGES, name)
}

function preferred(): Locale {
  const wanted = [saved('locale') ?? '', ...navigator.languages].map((tag) => tag.split('-')[0]!)
  return wanted.find(isLocale) ?? 'en'
}

/** All at once: a page is in one language. */
async function show(chosen: Locale): Promise<void> {
  const shows = await Promise.all(parts.map((load) => load(chosen)))
  batch(() => {
    for (const show of shows) show()
    locale.value = chosen
  })
  document.documentElement.lang = chosen
  document.documentElement.dir = LANGUAGES[chosen].dir
}
