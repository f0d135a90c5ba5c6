import { useState } from 'preact/hooks'
import { accountTexts } from '../account/texts.js'
import { useWantedCode } from '../account/use-wanted-code.js'
import { usePresent } from '../state/context.js'
import { deleteAccount } from '../state/session.js'
import { Field } from '../ui/field.js'
import { Problem } from '../ui/problem.js'
import { momentOf } from '../ui/times.js'
import { useSubmit } from '../ui/use-submit.js'
import { CodeField, PasswordField } from './password-field.js'
import { secretProblem } from './secret-problem.js'
import { Section } from './section.js'
import { settingsTexts } from './texts.js'

/** What the broker has of the user: a copy, and its end. */
export function DataPart() {
  return (
    <>
      <ExportSection />
      <DeletionSection />
    </>
  )
}

function ExportSection() {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [link, setLink] = useState<{ url: string; expiresAt: number } | null>(null)
  const { submit, isBusy, error } = useSubmit(async () => setLink(await chat.ask.account.export({})))
  return (
    <Section title={t.export} hint={t.exportHint}>
      <form class="settings-buttons" onSubmit={submit}>
        {link ? (
          // It works once: then there is another one to be asked for.
          <a class="button primary" href={link.url} download onClick={() => setTimeout(() => setLink(null))}>
            {t.download}
          </a>
        ) : (
          <button type="submit" class="button" aria-disabled={isBusy}>
            {t.makeExport}
          </button>
        )}
      </form>
      {link && (
        <p class="hint" role="status">
          {t.downloadHint(momentOf(link.expiresAt))}
        </p>
      )}
      <Problem error={error} />
    </Section>
  )
}

function DeletionSection() {
  const t = settingsTexts.value
  const { user } = usePresent()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const { submit, isBusy, error } = useSubmit(() =>
    deleteAccount({ ...(password === '' ? {} : { password }), ...(code.trim() === '' ? {} : { code: code.trim() }) }),
  )
  const { isWanted, problem } = useWantedCode(error, code)
  return (
    <Section title={t.deletion} hint={t.deletionHint}>
      <form class="form" onSubmit={submit}>
        <Field
          label={t.typeName(user)}
          value={name}
          change={setName}
          input={{ autocomplete: 'off', autocapitalize: 'none', spellcheck: false }}
        />
        <PasswordField label={t.deletionPassword} hint={t.deletionPasswordHint} value={password} change={setPassword} />
        {isWanted && <CodeField label={t.code} hint={accountTexts.value.codeHint} value={code} change={setCode} />}
        <Problem error={problem} tell={secretProblem} />
        <div>
          <button type="submit" class="button danger" aria-disabled={isBusy || name !== user}>
            {t.deleteAccount}
          </button>
        </div>
      </form>
    </Section>
  )
}
