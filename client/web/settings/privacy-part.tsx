import { usePresent } from '../state/context.js'
import { ChoiceSetting } from './choice-setting.js'
import { Loaded } from './loaded.js'
import { settingsTexts } from './texts.js'

const SETTINGS = ['messages', 'presence', 'readReceipts', 'invites'] as const

/** What others may do and see. */
export function PrivacyPart() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  return (
    <Loaded ask={() => chat.ask.privacy.get({})}>
      {(settings) =>
        SETTINGS.map((name) => (
          <ChoiceSetting
            key={name}
            label={t.privacy[name]}
            hint={t.privacyHints[name]}
            value={settings[name]}
            options={t.audiences}
            save={(value) => chat.ask.privacy.update({ [name]: value })}
          />
        ))
      }
    </Loaded>
  )
}
