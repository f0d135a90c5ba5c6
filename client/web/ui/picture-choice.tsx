import { useRef } from 'preact/hooks'
import { isPicture } from './avatar.js'
import { smallPicture } from './small-picture.js'

interface PictureChoiceProps {
  readonly picture: string | null
  readonly texts: { readonly picture: string; readonly choosePicture: string; readonly remove: string }
  /** @param make Of the address that is the picture; null: none. It rejects with a `ChatError` if the file is no picture. */
  readonly change: (make: () => Promise<string | null>) => unknown
}

/** Chooses a picture, which is made so small that it fits into its address, or removes it. */
export function PictureChoice({ picture, texts, change }: PictureChoiceProps) {
  const chooser = useRef<HTMLInputElement>(null)
  const choose = (input: HTMLInputElement): void => {
    const [file] = input.files ?? []
    if (file) change(() => smallPicture(file))
    // The same file can be chosen again.
    input.value = ''
  }
  return (
    <div class="in-line">
      <button type="button" class="button" onClick={() => chooser.current?.click()}>
        {texts.choosePicture}
      </button>
      {isPicture(picture) && (
        <button type="button" class="button" onClick={() => change(async () => null)}>
          {texts.remove}
        </button>
      )}
      <input
        ref={chooser}
        type="file"
        accept="image/*"
        hidden
        aria-label={texts.picture}
        onChange={({ currentTarget }) => choose(currentTarget)}
      />
    </div>
  )
}
