import { useRef } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { isTouch } from '../ui/touch.js'

/** Phones offer their camera where pictures are asked for. */
const WITH_CAMERA = 'image/*,video/*,*/*'

export function AttachButton({ take }: { take: (files: readonly File[]) => void }) {
  const t = texts.value.files
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={isTouch() ? WITH_CAMERA : ''}
        onChange={({ currentTarget }) => {
          take([...(currentTarget.files ?? [])])
          // The same file may be chosen again.
          currentTarget.value = ''
        }}
      />
      <button
        type="button"
        class="button quiet square"
        aria-label={t.attach}
        title={t.attach}
        onClick={() => input.current?.click()}
      >
        <Icon name="attach" />
      </button>
    </>
  )
}
