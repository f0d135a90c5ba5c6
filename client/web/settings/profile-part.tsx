import { usePresent } from '../state/context.js'
import { Loaded } from './loaded.js'
import { PictureSetting } from './picture-setting.js'
import { StatusSection } from './status-section.js'
import { TextSetting } from './text-setting.js'
import { settingsTexts } from './texts.js'

/** How the user is shown to others. */
export function ProfilePart() {
  const t = settingsTexts.value
  const { user, chat } = usePresent()
  const { update } = chat.ask.users
  return (
    <>
      <Loaded ask={() => chat.ask.users.get({ user })}>
        {({ name, avatar, fields }) => (
          <>
            <PictureSetting known={avatar} />
            <TextSetting
              label={t.name}
              hint={t.nameHint}
              value={name ?? ''}
              most={128}
              save={(text) => update({ name: text || null })}
            />
            <TextSetting
              label={t.about}
              hint={t.aboutHint}
              value={String(fields['about'] ?? '')}
              most={128}
              save={(text) => update({ fields: { about: text || null } })}
            />
          </>
        )}
      </Loaded>
      <StatusSection />
    </>
  )
}
