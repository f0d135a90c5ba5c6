import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { Avatar } from '../ui/avatar.js'
import { PictureChoice } from '../ui/picture-choice.js'
import { SaveState } from './save-state.js'
import { settingsTexts } from './texts.js'
import { useSaving } from './use-saving.js'

/** The picture of the user. @param known As the broker has it when it is shown first */
export function PictureSetting({ known }: { known: string | null }) {
  const t = settingsTexts.value
  const { user, chat } = usePresent()
  const [picture, setPicture] = useState(known)
  const { saving, save } = useSaving()
  const change = (make: () => Promise<string | null>): Promise<boolean> =>
    save(async () => setPicture((await chat.ask.users.update({ avatar: await make() })).avatar))
  return (
    <div class="field">
      <div class="settings-picture">
        <Avatar id={user} name={user} picture={picture} size="large" />
        <PictureChoice picture={picture} texts={t} change={change} />
      </div>
      <p class="hint">{t.pictureHint}</p>
      <SaveState saving={saving} problem={pictureProblem} />
    </div>
  )
}

function pictureProblem(error: ChatError): string {
  return error.code === 'bad_request' ? settingsTexts.value.notPicture : problemText(error)
}
