import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { showToast } from '../ui/toast.js'

/** Lines of code, as they are; long ones are scrolled. */
export function CodeBlock({ code }: { code: string }) {
  const t = texts.value
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(code)
    showToast(t.copied)
  }
  return (
    <span class="code-block">
      <pre dir="ltr">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the arrow keys */}
        <code tabIndex={0}>{code}</code>
      </pre>
      {/* Browsers let nobody copy where the connection is no secure one. */}
      {isSecureContext && (
        <button
          type="button"
          class="button quiet square"
          aria-label={t.copyCode}
          title={t.copyCode}
          onClick={() => void copy().catch(() => {})}
        >
          <Icon name="copy" />
        </button>
      )}
    </span>
  )
}
