import { CopyButton } from '../ui/copy-button.js'
import { Dialog } from '../ui/dialog.js'
import { deviceTexts } from './texts.js'

export interface GivenKey {
  readonly device: string
  /** Shown once: the broker does not tell it again. */
  readonly token: string
}

/** The key of a device, and how it connects with it. */
export function Credentials({ device, token, close }: GivenKey & { close: () => void }) {
  const t = deviceTexts.value
  const login = `-h ${location.hostname} -u ${quoted(device)} -P '${token}' -i ${quoted(device)}`
  return (
    <Dialog title={t.key} close={close} isShownOnce>
      <p class="notice">{t.keyOnce}</p>
      <Copied text={token} />
      <h3>{t.howTo}</h3>
      <p class="hint">{t.howToHint}</p>
      <p>{t.tells}</p>
      <Copied text={`mosquitto_pub ${login} -q 1 -t ${quoted(`devices/${device}/telemetry/temperature`)} -m 21.5`} />
      <p>{t.listens}</p>
      <Copied text={`mosquitto_sub ${login} -c -q 1 -t ${quoted(`devices/${device}/commands`)}`} />
    </Dialog>
  )
}

/** As one word of a shell: names may have what it takes for something else. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** A text with a button that copies it. */
function Copied({ text }: { text: string }) {
  const t = deviceTexts.value
  return (
    <div class="copied">
      <code dir="ltr">{text}</code>
      <CopyButton text={text} label={t.copy} copied={t.copied} />
    </div>
  )
}
