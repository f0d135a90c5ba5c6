import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { plainLine } from '../ui/plain.js'
import { asChatError } from '../ui/use-request.js'
import { bytesText } from './bytes-text.js'
import { saveFile } from './save.js'
import { kindOf, type Shown } from './shown.js'

/** A file that is not shown in place: its name, its size, and how to have it. */
export function FileLine({ shown }: { shown: Shown }) {
  const { attachment, bytes } = shown
  const name = plainLine(attachment.name ?? attachment.alt ?? '', texts.value.attachment)
  const isElsewhere = kindOf(shown) === 'link'
  return (
    <div class="file-line">
      <Icon name="file" />
      <span class="tray-texts">
        <bdi class="line">{name}</bdi>
        {attachment.size !== undefined && <span class="hint">{bytesText(attachment.size)}</span>}
      </span>
      {isElsewhere && <LinkElsewhere url={attachment.url ?? ''} name={name} />}
      {!isElsewhere && bytes === null && <SaveButton shown={shown} name={name} />}
    </div>
  )
}

/** @param name Of the file */
export function SaveButton({ shown: { attachment }, name }: { shown: Shown; name: string }) {
  const t = texts.value.files
  const { chat } = usePresent()
  const [problem, setProblem] = useState<ChatError | null>(null)
  const save = (): void => {
    setProblem(null)
    saveFile(chat.files, attachment).catch((error: unknown) => setProblem(asChatError(error)))
  }
  return (
    <>
      <button type="button" class="button quiet square" aria-label={t.save(name)} title={t.save(name)} onClick={save}>
        <Icon name="save" />
      </button>
      {problem && (
        <span class="error" role="alert">
          {problem.code === 'not_found' ? t.gone : problemText(problem)}
        </span>
      )}
    </>
  )
}

function LinkElsewhere({ url, name }: { url: string; name: string }) {
  const t = texts.value.files
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return null
  return (
    <a
      class="button quiet small"
      href={url}
      target="_blank"
      rel="noopener noreferrer nofollow ugc"
      aria-label={t.openAt(name, new URL(url).host)}
    >
      {new URL(url).host}
    </a>
  )
}
