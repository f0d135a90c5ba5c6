import { CopyButton } from '../ui/copy-button.js'
import { settingsTexts } from './texts.js'

/** Shown once. */
export function RecoveryCodes({ codes, done }: { codes: readonly string[]; done: () => void }) {
  const t = settingsTexts.value
  return (
    <>
      <p class="notice" role="status">
        {t.isOn} {t.recoveryHint}
      </p>
      <ul class="recovery-codes" aria-label={t.recovery}>
        {codes.map((code) => (
          <li key={code}>
            <code dir="ltr">{code}</code>
          </li>
        ))}
      </ul>
      <div class="settings-buttons">
        <CopyButton label={t.copy} copied={t.copied} text={codes.join('\n')} />
        <button type="button" class="button primary" onClick={done}>
          {t.kept}
        </button>
      </div>
    </>
  )
}
