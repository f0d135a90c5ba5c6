import { useState } from 'preact/hooks'
import type { CommandResult } from '../../../../schemas/commands.js'
import { usePresent } from '../../state/context.js'
import { pathTo } from '../../state/router.js'
import { confirm } from '../../ui/confirm.js'
import { CopyButton } from '../../ui/copy-button.js'
import { numberOf } from '../../ui/numbers.js'
import { PageList } from '../../ui/page-list.js'
import { Problem } from '../../ui/problem.js'
import { SelectField } from '../../ui/select-field.js'
import { durationOf, momentOf } from '../../ui/times.js'
import { useAct } from '../../ui/use-act.js'
import { useList } from '../../ui/use-pages.js'
import { useSubmit } from '../../ui/use-submit.js'
import { roomTexts } from './texts.js'

type RoomLink = CommandResult<'rooms.links.list'>['links'][number]

/** Seconds. */
const VALIDITIES = ['3600', '86400', '604800', '2592000'] as const
const USES = ['1', '5', '25', '100'] as const

/** Links with which anyone may join a room. */
export function InviteLinks({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const list = useList<RoomLink>(room, async (_, options) => {
    const { links } = await chat.ask.rooms.links.list({ room }, options)
    return { items: links, more: false }
  })
  return (
    <section class="section">
      <h3>{t.inviteLinks}</h3>
      <p class="hint">{t.linksHint}</p>
      <NewLink room={room} made={list.reload} />
      <PageList
        list={list}
        empty={<p class="hint">{t.noLinks}</p>}
        label={t.inviteLinks}
        row={(link) => <LinkRow key={link.link} room={room} link={link} gone={() => list.drop(link)} />}
      />
    </section>
  )
}

function NewLink({ room, made }: { room: string; made: () => void }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const [validity, setValidity] = useState<string>('604800')
  const [uses, setUses] = useState<string>('')
  const { submit, isBusy, error } = useSubmit(async () => {
    await chat.ask.rooms.links.create({
      room,
      ...(validity && { expiresIn: Number(validity) }),
      ...(uses && { uses: Number(uses) }),
    })
    made()
  })
  const validities = [...VALIDITIES.map((one) => [one, durationOf(Number(one))] as const), ['', t.noEnd] as const]
  const numbers = [...USES.map((one) => [one, numberOf(Number(one))] as const), ['', t.anyNumber] as const]
  return (
    <form class="form" onSubmit={submit}>
      <SelectField label={t.validFor} value={validity} change={setValidity} options={validities} />
      <SelectField label={t.usesOf} value={uses} change={setUses} options={numbers} />
      <Problem error={error} told={{ conflict: t.problems.tooMany }} />
      <div class="actions">
        <button type="submit" class="button primary" aria-disabled={isBusy}>
          {t.newLink}
        </button>
      </div>
    </form>
  )
}

function LinkRow({ room, link: { link, expiresAt, uses }, gone }: { room: string; link: RoomLink; gone: () => void }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  // What follows the # stays in the browser: no server and no proxy on the way writes it down.
  const address = `${location.origin}${pathTo('join', { room })}#${link}`
  const revoke = async (): Promise<void> => {
    if (!(await confirm({ title: t.revokeAsk, text: t.revokeText, yes: t.revoke, isDanger: true }))) return
    await chat.ask.rooms.links.revoke({ room, link })
    gone()
  }
  const end = expiresAt === null ? t.noEnd : t.until(momentOf(expiresAt))
  return (
    <li class="card">
      <input class="address" readOnly value={address} dir="ltr" aria-label={t.link} onFocus={select} />
      <p class="hint">{uses === null ? end : `${end} · ${t.usesLeft(uses)}`}</p>
      <Problem error={error} />
      <div class="actions">
        <button type="button" class="button small" aria-disabled={isBusy} onClick={() => void run(revoke)}>
          {t.revoke}
        </button>
        <CopyButton text={address} label={t.copyLink} copied={t.copied} />
      </div>
    </li>
  )
}

function select({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void {
  currentTarget.select()
}
