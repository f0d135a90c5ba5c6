import { useState } from 'preact/hooks'
import type { Contact } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { Field } from '../ui/field.js'
import { personProblem } from './person-problem.js'
import { PersonRow, type RowAct } from './person-row.js'
import { Rows } from './rows.js'
import { SaveState } from './save-state.js'
import { Section } from './section.js'
import { settingsTexts } from './texts.js'
import { useSaving } from './use-saving.js'

export function PeoplePart() {
  return (
    <>
      <Contacts />
      <Blocks />
    </>
  )
}

function Contacts() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const contacts = signalOf(chat.contacts).value
  const { saving, save } = useSaving()
  const { accept, remove, request } = chat.ask.contacts
  const actsOf = ({ state }: Contact): RowAct[] => {
    if (state === 'contact') return [{ text: t.remove, act: (user) => save(() => remove({ user })) }]
    if (state === 'asked') return [{ text: t.withdraw, act: (user) => save(() => remove({ user })) }]
    return [
      { text: t.accept, act: (user) => save(() => accept({ user })) },
      { text: t.decline, act: (user) => save(() => remove({ user })) },
    ]
  }
  return (
    <Section title={t.contacts} hint={t.contactsHint}>
      {contacts.length === 0 && <p class="hint">{t.noContacts}</p>}
      <Rows label={t.contacts}>
        {contacts.map((contact) => (
          <PersonRow
            key={contact.user}
            user={contact.user}
            note={t.contactStates[contact.state]}
            acts={actsOf(contact)}
          />
        ))}
      </Rows>
      <SaveState saving={saving} />
      <AddPerson label={t.addContact} button={t.ask} add={(user) => request({ user })} />
    </Section>
  )
}

function Blocks() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const blocks = signalOf(chat.blocks).value
  const { saving, save } = useSaving()
  const { add, remove } = chat.ask.blocks
  const unblock: RowAct = { text: t.unblock, act: (user) => save(() => remove({ user })) }
  return (
    <Section title={t.blocks} hint={t.blocksHint}>
      {blocks.length === 0 && <p class="hint">{t.noBlocks}</p>}
      <Rows label={t.blocks}>
        {blocks.map(({ user }) => (
          <PersonRow key={user} user={user} acts={[unblock]} />
        ))}
      </Rows>
      <SaveState saving={saving} />
      <AddPerson label={t.userName} button={t.block} add={(user) => add({ user })} />
    </Section>
  )
}

interface AddPersonProps {
  readonly label: string
  readonly button: string
  readonly add: (user: string) => Promise<unknown>
}

function AddPerson({ label, button, add }: AddPersonProps) {
  const [user, setUser] = useState('')
  const { saving, save } = useSaving()
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (user.trim() !== '' && (await save(() => add(user.trim())))) setUser('')
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <div class="settings-add">
        <Field
          label={label}
          value={user}
          change={setUser}
          input={{ autocapitalize: 'none', autocomplete: 'off', spellcheck: false, maxLength: 128 }}
        />
        <button type="submit" class="button" aria-disabled={user.trim() === ''}>
          {button}
        </button>
      </div>
      <SaveState saving={saving} problem={personProblem} />
    </form>
  )
}
