import { useEffect, useId, useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { announce } from '../ui/announcer.js'
import { Failed } from '../ui/failed.js'
import { Field } from '../ui/field.js'
import { Name } from '../ui/name.js'
import { Problem } from '../ui/problem.js'
import { SelectField } from '../ui/select-field.js'
import { fullTimeOf, shortTimeOf } from '../ui/times.js'
import { useSubmit } from '../ui/use-submit.js'
import { Part } from './part.js'
import { shownValue } from './shown-value.js'
import { deviceTexts } from './texts.js'
import { type Command, isOutcome, useCommands } from './use-commands.js'

/** Seconds. */
const TTLS = ['60', '600', '3600', '86400'] as const

/** What the device was asked to do, and a form to ask it. */
export function Commands({ device, mayCommand }: { device: string; mayCommand: boolean }) {
  const t = deviceTexts.value
  const { list, hasMore, error, isKnown, again, earlier } = useCommands(device)
  const { chat } = usePresent()
  useEffect(
    () =>
      chat.on('deviceCommand', (event) => {
        if (event.device === device && isOutcome(event.state))
          announce(deviceTexts.value.outcome(event.name, deviceTexts.value.states[event.state]))
      }),
    [chat, device],
  )
  const names = [...new Set(list.map(({ name }) => name))]
  return (
    <Part title={t.commands}>
      {mayCommand && <CommandForm device={device} names={names} sent={again} />}
      {error && <Failed error={error} again={again} />}
      {isKnown && list.length === 0 && <p class="hint">{t.noCommands}</p>}
      <ul class="rows">
        {list.map((command) => (
          <CommandRow key={command.id} command={command} />
        ))}
      </ul>
      {hasMore && (
        <button type="button" class="button small" onClick={earlier}>
          {t.earlier}
        </button>
      )}
    </Part>
  )
}

function CommandRow({ command: { name, params, by, at, state, result, error } }: { command: Command }) {
  const t = deviceTexts.value
  const outcome = error ?? result
  return (
    <li class="row">
      <div class="row-texts">
        <p>
          <strong>
            <Name text={name} />
          </strong>{' '}
          {params !== undefined && <code dir="ltr">{shownValue(params)}</code>}
        </p>
        <p class="hint" title={fullTimeOf(at)}>
          {t.by(by, shortTimeOf(at))}
        </p>
        {outcome !== undefined && outcome !== null && (
          <p class={error === undefined ? '' : 'error'}>
            <bdi>{shownValue(outcome)}</bdi>
          </p>
        )}
      </div>
      <span class={`command-state ${state}`}>{t.states[state]}</span>
    </li>
  )
}

interface CommandFormProps {
  readonly device: string
  /** Of commands that were sent before. */
  readonly names: readonly string[]
  readonly sent: () => void
}

function CommandForm({ device, names, sent }: CommandFormProps) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const id = useId()
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const [ttl, setTtl] = useState<(typeof TTLS)[number]>('3600')
  const [isWrong, setWrong] = useState(false)
  const { submit, isBusy, error } = useSubmit(async () => {
    const params = parsed(text)
    setWrong(params === null)
    if (params === null) return
    const { state } = await chat.ask.devices.command({ device, name: name.trim(), ttl: Number(ttl), ...params })
    announce(t.outcome(name.trim(), t.states[state]))
    setText('')
    sent()
  })
  return (
    <form class="inline-form" onSubmit={submit} noValidate>
      <Field
        label={t.command}
        hint={t.commandHint}
        value={name}
        change={setName}
        input={{ list: `${id}-names`, maxLength: 128, autocapitalize: 'none', autocomplete: 'off', dir: 'auto' }}
      />
      <datalist id={`${id}-names`}>
        {names.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <Field
        label={t.params}
        hint={t.paramsHint}
        error={isWrong ? t.notJson : null}
        value={text}
        change={(text) => {
          setText(text)
          setWrong(false)
        }}
        input={{ spellcheck: false, autocapitalize: 'none', autocomplete: 'off', dir: 'ltr' }}
      />
      <SelectField
        label={t.within}
        value={ttl}
        change={setTtl}
        options={TTLS.map((one) => [one, t.withins[one]] as const)}
      />
      <Problem error={error} />
      <button type="submit" class="button primary" disabled={isBusy || name.trim() === ''}>
        {t.send}
      </button>
    </form>
  )
}

/** Null: it is not JSON. */
function parsed(text: string): { params?: unknown } | null {
  if (text.trim() === '') return {}
  try {
    return { params: JSON.parse(text) }
  } catch {
    return null
  }
}
