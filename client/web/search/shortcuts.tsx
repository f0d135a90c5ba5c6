import { Dialog } from '../ui/dialog.js'
import { searchTexts } from './texts.js'

const IS_MAC = /mac|iphone|ipad/i.test(navigator.userAgent)
const COMMAND = IS_MAC ? '⌘' : 'Ctrl'
const ALT = IS_MAC ? '⌥' : 'Alt'

type Act = keyof typeof searchTexts.value.shortcutOf

/** Keys that are pressed together, in ways that do the same. */
const SHORTCUTS: readonly (readonly [Act, readonly (readonly string[])[]])[] = [
  ['switcher', [[COMMAND, 'K']]],
  ['search', [[COMMAND, '⇧', 'F']]],
  [
    'nextRoom',
    [
      [ALT, '↓'],
      [ALT, '↑'],
    ],
  ],
  [
    'nextUnread',
    [
      [ALT, '⇧', '↓'],
      [ALT, '⇧', '↑'],
    ],
  ],
  ['markRead', [['Esc']]],
  ['send', [['Enter'], [COMMAND, 'Enter']]],
  ['line', [['⇧', 'Enter']]],
  ['move', [['↓'], ['↑'], ['Home'], ['End']]],
  ['close', [['Esc']]],
  ['help', [['?']]],
]

/** What the keys do. */
export default function Shortcuts({ close }: { close: () => void }) {
  const t = searchTexts.value
  return (
    <Dialog title={t.shortcuts} close={close}>
      <dl class="shortcuts">
        {SHORTCUTS.map(([act, ways]) => (
          <div key={act}>
            <dt>{t.shortcutOf[act]}</dt>
            <dd>
              {ways.map((keys) => (
                <span key={keys.join()}>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
