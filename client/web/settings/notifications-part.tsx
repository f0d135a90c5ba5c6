import { NotificationChoice } from '../notifications/notification-choice.js'
import { usePresent } from '../state/context.js'
import { ChoiceSetting } from './choice-setting.js'
import { Keywords } from './keywords.js'
import { Loaded } from './loaded.js'
import { settingsTexts } from './texts.js'

/** Of which messages the user is notified. */
export function NotificationsPart() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const { settings } = chat.ask.notifications
  return (
    <>
      <NotificationChoice />
      <Loaded ask={() => settings.get({})}>
        {({ rooms, direct, keywords }) => (
          <>
            <ChoiceSetting
              label={t.ofRooms}
              hint={t.notifyHint}
              value={rooms}
              options={t.levels}
              save={(value) => settings.update({ rooms: value })}
            />
            <ChoiceSetting
              label={t.ofDirect}
              value={direct}
              options={t.levels}
              save={(value) => settings.update({ direct: value })}
            />
            <Keywords known={keywords} />
          </>
        )}
      </Loaded>
    </>
  )
}
