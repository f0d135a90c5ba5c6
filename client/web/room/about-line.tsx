import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { QuotedLine } from './quote.js'
import { useQuoted } from './use-quoted.js'
import { useView } from './view.js'

/** Above what is written: the message that it answers, or that it changes. */
export function AboutLine({ cancel }: { cancel: () => void }) {
  const t = texts.value
  const { about } = useView()
  const now = about.value
  if (now === null) return null
  return (
    <div class="about">
      <Icon name={now.kind} mirrored={now.kind === 'reply'} />
      <p class="about-text">{now.kind === 'edit' ? t.editing : <Answered key={now.seq} seq={now.seq} />}</p>
      <button type="button" class="button quiet square" onClick={cancel} aria-label={t.cancel} title={t.cancel}>
        <Icon name="close" />
      </button>
    </div>
  )
}

function Answered({ seq }: { seq: number }) {
  return <QuotedLine message={useQuoted(seq).value} />
}
