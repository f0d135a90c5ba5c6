import { useId } from 'preact/hooks'
import { chooseTheme, THEMES, type Theme, theme } from '../state/theme.js'
import { chooseLocale, isLocale, LANGUAGES, locale } from '../text/text.js'
import { accountTexts } from './texts.js'

/** How the app looks and speaks in this browser. */
export function Preferences() {
  const t = accountTexts.value
  const id = useId()
  return (
    <div class="preferences">
      <label for={`${id}-language`}>{t.language}</label>
      <select
        id={`${id}-language`}
        value={locale.value}
        onChange={({ currentTarget: { value } }) => void (isLocale(value) && chooseLocale(value).catch(() => {}))}
      >
        {Object.entries(LANGUAGES).map(([tag, { name }]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
      <label for={`${id}-theme`}>{t.theme}</label>
      <select
        id={`${id}-theme`}
        value={theme.value}
        onChange={({ currentTarget: { value } }) => chooseTheme(value as Theme)}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {t.themes[one]}
          </option>
        ))}
      </select>
    </div>
  )
}
