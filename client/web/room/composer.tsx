import { whyNot } from '../refused/why-not.js'
import { texts } from '../text/text.js'
import { fullTimeOf } from '../ui/times.js'
import { useWait } from './use-wait.js'
import { WriteForm, type WriteFormProps } from './write-form.js'

/** Where one writes in a room, or why one cannot. */
export function Composer({ info, ...form }: WriteFormProps) {
  const { mutedUntil } = useWait(form.view.room.id, info)
  const why = whyNot(info) ?? mutedText(mutedUntil)
  return why === null ? <WriteForm {...form} info={info} /> : <p class="composer closed">{why}</p>
}

function mutedText(until: number | null | undefined): string | null {
  if (until === undefined) return null
  return until === null ? texts.value.mutedHere : texts.value.mutedUntil(fullTimeOf(until))
}
