import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { usePresent } from '../state/context.js'
import { pathTo } from '../state/router.js'
import { CopyButton } from '../ui/copy-button.js'
import { Field } from '../ui/field.js'
import { Problem } from '../ui/problem.js'
import { momentOf } from '../ui/times.js'
import { useSubmit } from '../ui/use-submit.js'
import { personProblem } from './person-problem.js'
import { Section } from './section.js'
import { settingsTexts } from './texts.js'

interface Link {
  readonly address: string
  /** Unix ms. */
  readonly expiresAt: number
}

/** What an administrator hands out: the broker sends no mail. */
export function ServerPart() {
  return (
    <>
      <Invitation />
      <ResetLink />
    </>
  )
}

function Invitation() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [link, setLink] = useState<Link | null>(null)
  const { submit, isBusy, error } = useSubmit(async () => {
    const { invite, expiresAt } = await chat.ask.auth.invite({})
    setLink({ address: linkTo('register', invite), expiresAt })
  })
  return (
    <Section title={t.invitePeople} hint={t.invitePeopleHint}>
      <form onSubmit={submit}>
        <button type="submit" class="button" aria-disabled={isBusy}>
          {t.makeLink}
        </button>
      </form>
      <Outcome link={link} error={error} />
    </Section>
  )
}

function ResetLink() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [user, setUser] = useState('')
  const [link, setLink] = useState<Link | null>(null)
  const { submit, isBusy, error } = useSubmit(async () => {
    setLink(null)
    const { token, expiresAt } = await chat.ask.auth.reset({ user: user.trim() })
    setLink({ address: linkTo('reset', token), expiresAt })
  })
  return (
    <Section title={t.resetPassword} hint={t.resetPasswordHint}>
      <form class="settings-add" onSubmit={submit}>
        <Field
          label={t.userName}
          value={user}
          change={setUser}
          input={{ autocapitalize: 'none', autocomplete: 'off', spellcheck: false, maxLength: 128 }}
        />
        <button type="submit" class="button" aria-disabled={isBusy || user.trim() === ''}>
          {t.makeLink}
        </button>
      </form>
      <Outcome link={link} error={error} />
    </Section>
  )
}

/** The link that was made, or why none was. */
function Outcome({ link, error }: { link: Link | null; error: ChatError | null }) {
  return (
    <>
      <Problem error={error} tell={personProblem} />
      {link && <ShownLink {...link} />}
    </>
  )
}

function ShownLink({ address, expiresAt }: Link) {
  const t = settingsTexts.value
  return (
    <div class="settings-row" role="status">
      <span class="settings-row-texts">
        <code dir="ltr">{address}</code>
        <span class="hint">{t.linkHint(momentOf(expiresAt))}</span>
      </span>
      <CopyButton label={t.copy} copied={t.copied} key={address} text={address} />
    </div>
  )
}

/** The secret is in the fragment, which browsers send to no server. */
function linkTo(page: 'register' | 'reset', secret: string): string {
  return `${location.origin}${pathTo(page)}#${secret}`
}
