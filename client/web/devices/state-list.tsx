import { Name } from '../ui/name.js'
import { isRecord } from './feed.js'
import { Part } from './part.js'
import { shownValue } from './shown-value.js'
import { deviceTexts } from './texts.js'

/** Entries of a state that are shown. */
const MOST = 100
/** Objects in objects are shown one by one up to here. */
const DEEP = 3

/** What the device is like now, as it says itself. */
export function StateList({ state }: { state: unknown }) {
  const t = deviceTexts.value
  const entries = state === null ? [] : entriesOf(state, '', 1).slice(0, MOST)
  return (
    <Part title={t.state}>
      {entries.length === 0 && <p class="hint">{t.noState}</p>}
      <dl class="facts">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>
              <Name text={name === '' ? t.value : name} />
            </dt>
            <dd>
              <bdi>{shownValue(value)}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </Part>
  )
}

function entriesOf(value: unknown, name: string, depth: number): (readonly [string, unknown])[] {
  if (!isRecord(value) || depth > DEEP) return [[name, value]]
  return Object.entries(value).flatMap(([key, one]) => entriesOf(one, name === '' ? key : `${name}.${key}`, depth + 1))
}
