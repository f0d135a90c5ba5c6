import { accountTexts } from '../account/texts.js'
import { chooseEnterKey, enterKey } from '../state/enter-key.js'
import { areLinesShown, chooseLines } from '../state/room-lines.js'
import { chooseTheme, theme } from '../state/theme.js'
import { chooseLocale, LANGUAGES, type Locale, locale } from '../text/text.js'
import { SelectField } from '../ui/select-field.js'
import { isTouch } from '../ui/touch.js'
import { choicesOf } from './choice-setting.js'
import { settingsTexts } from './texts.js'

const LOCALES = Object.keys(LANGUAGES) as Locale[]

/** How the app looks, speaks and writes in this browser. */
export function AppearancePart() {
  const t = settingsTexts.value
  const { language, theme: appearance, themes } = accountTexts.value
  return (
    <>
      <SelectField
        label={language}
        value={locale.value}
        options={LOCALES.map((tag) => [tag, LANGUAGES[tag].name] as const)}
        change={(chosen) => void chooseLocale(chosen).catch(() => {})}
      />
      <SelectField label={appearance} value={theme.value} options={choicesOf(themes)} change={chooseTheme} />
      {/* On touch screens Enter begins a line in any case. */}
      {!isTouch() && (
        <SelectField
          label={t.enterKey}
          value={enterKey.value}
          options={choicesOf(t.enterKeys)}
          change={chooseEnterKey}
        />
      )}
      <div class="choices">
        <label>
          <input
            type="checkbox"
            checked={areLinesShown.value}
            onChange={({ currentTarget }) => chooseLines(currentTarget.checked)}
          />
          {t.roomLines}
        </label>
        <p class="hint">{t.roomLinesHint}</p>
      </div>
    </>
  )
}
