/** Asks before something that cannot be taken back. */
import { signalOfUser } from '../state/of-user.js'
import { texts } from '../text/text.js'
import { Dialog } from './dialog.js'

interface Question {
  readonly title: string
  readonly text?: string
  /** What the button says that does it. */
  readonly yes: string
  readonly isDanger?: boolean
}

interface Asked extends Question {
  readonly answer: (isYes: boolean) => void
}

const asked = signalOfUser<Asked | null>(null)

/** Resolves with whether the person has agreed. Another question takes the place of one that is not answered, which was no. */
export function confirm(question: Question): Promise<boolean> {
  asked.peek()?.answer(false)
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (isYes) => {
        asked.value = null
        resolve(isYes)
      },
    }
  })
}

/** The question that is asked, if there is one. */
export function Confirm() {
  const question = asked.value
  if (!question) return null
  const { title, text, yes, isDanger = false, answer } = question
  return (
    <Dialog key={question} title={title} close={() => answer(false)}>
      {text !== undefined && <p>{text}</p>}
      <div class="actions">
        <button type="button" class="button" onClick={() => answer(false)}>
          {texts.value.cancel}
        </button>
        <button type="button" class={isDanger ? 'button danger' : 'button primary'} onClick={() => answer(true)}>
          {yes}
        </button>
      </div>
    </Dialog>
  )
}
