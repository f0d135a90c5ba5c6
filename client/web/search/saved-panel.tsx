import { useSignal } from '@preact/signals'
import type { CommandResult } from '../../../schemas/commands.js'
import { pagesOf } from '../../index.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Empty } from '../ui/empty.js'
import { Icon } from '../ui/icon.js'
import { PageList } from '../ui/page-list.js'
import { Panel } from '../ui/panel.js'
import { showToast } from '../ui/toast.js'
import { usePages } from '../ui/use-pages.js'
import { asChatError } from '../ui/use-request.js'
import { FoundMessage, FoundNothing } from './found-message.js'
import { SavedNote } from './saved-note.js'
import { searchTexts } from './texts.js'

type Saved = CommandResult<'saved.list'>['saved'][number]

const keyOf = ({ room, seq }: Saved): string => `${room}/${seq}`

/** The messages that the user has saved. */
export default function SavedPanel() {
  const t = searchTexts.value
  const { chat } = usePresent()
  /** Those that were changed here. */
  const notes = useSignal<ReadonlyMap<string, string | null>>(new Map())
  const noteOf = (one: Saved): string | null => {
    const changed = notes.value.get(keyOf(one))
    return changed === undefined ? one.note : changed
  }
  const list = usePages('', () => pagesOf(chat.ask.saved.list, {}, 'saved'))
  const remove = async (one: Saved): Promise<void> => {
    try {
      await chat.ask.saved.remove({ room: one.room, seq: one.seq })
      list.drop(one)
    } catch (error) {
      showToast(problemText(asChatError(error)))
    }
  }
  const note = async (one: Saved, text: string | null): Promise<void> => {
    await chat.ask.saved.add({ room: one.room, seq: one.seq, note: text })
    notes.value = new Map([...notes.value, [keyOf(one), text]])
  }
  return (
    <Panel title={t.saved}>
      <PageList
        list={list}
        label={t.saved}
        empty={<Empty title={t.noSaved} hint={t.noSavedHint} />}
        row={(one, isEntry) => (
          <SavedMessage
            key={keyOf(one)}
            saved={{ ...one, note: noteOf(one) }}
            isEntry={isEntry}
            remove={() => void remove(one)}
            change={(text) => note(one, text)}
          />
        )}
      />
    </Panel>
  )
}

interface SavedMessageProps {
  readonly saved: Saved
  readonly isEntry: boolean
  readonly remove: () => void
  /** Changes the note. */
  readonly change: (note: string | null) => Promise<void>
}

function SavedMessage({ saved: { room, message, note }, isEntry, remove, change }: SavedMessageProps) {
  const isShown = message !== undefined && !('gone' in message)
  const below = (
    <>
      <SavedNote note={note} save={isShown ? change : null} />
      <button
        type="button"
        class="button quiet small square found-act"
        onClick={remove}
        aria-label={searchTexts.value.unsave}
        title={searchTexts.value.unsave}
      >
        <Icon name="close" />
      </button>
    </>
  )
  if (isShown)
    return (
      <FoundMessage room={room} message={message} isEntry={isEntry}>
        {below}
      </FoundMessage>
    )
  return (
    <FoundNothing
      room={room}
      why={message ? texts.value.gone[message.gone] : searchTexts.value.savedGone}
      isEntry={isEntry}
    >
      {below}
    </FoundNothing>
  )
}
