import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { goBack, pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { Empty } from '../ui/empty.js'
import { Icon } from '../ui/icon.js'
import { Link } from '../ui/link.js'
import { useIsAdmin } from '../ui/use-is-admin.js'
import { AppearancePart } from './appearance-part.js'
import { DataPart } from './data-part.js'
import { NotificationsPart } from './notifications-part.js'
import { PeoplePart } from './people-part.js'
import { PrivacyPart } from './privacy-part.js'
import { ProfilePart } from './profile-part.js'
import { SecurityPart } from './security-part.js'
import { ServerPart } from './server-part.js'
import { SessionsPart } from './sessions-part.js'
import { settingsTexts } from './texts.js'

/** In the order of the list. */
const PARTS = {
  profile: ProfilePart,
  appearance: AppearancePart,
  notifications: NotificationsPart,
  privacy: PrivacyPart,
  people: PeoplePart,
  security: SecurityPart,
  sessions: SessionsPart,
  data: DataPart,
  server: ServerPart,
} satisfies Record<string, ComponentType>

type PartName = keyof typeof PARTS

/** The parts, and one of them: side by side where there is space, else one after the other. */
export default function SettingsPage({ part }: Readonly<Record<string, string>>) {
  const t = settingsTexts.value
  if (part !== undefined && !isPart(part)) return <Empty title={texts.value.noSuchPage} isBack />
  const shown = part ?? 'profile'
  const Part = PARTS[shown]
  return (
    <>
      <header class="pane-header">
        <button
          type="button"
          class="button quiet square only-narrow"
          onClick={() => goBack(part === undefined ? '/' : pathTo('settings'))}
          aria-label={texts.value.back}
        >
          <Icon name="back" mirrored />
        </button>
        <h1>{t.title}</h1>
      </header>
      <div class={part === undefined ? 'settings' : 'settings has-part'}>
        <PartList shown={shown} />
        <div class="settings-part" key={shown}>
          <PartHeading text={t.parts[shown]} isChosen={part !== undefined} />
          <Part />
        </div>
      </div>
    </>
  )
}

function PartList({ shown }: { shown: PartName }) {
  const t = settingsTexts.value
  const isAdmin = useIsAdmin()
  const parts = (Object.keys(PARTS) as PartName[]).filter((name) => isAdmin || name !== 'server')
  return (
    <nav class="settings-nav" aria-label={t.title}>
      <ul>
        {parts.map((name) => (
          <li key={name}>
            <Link
              to={pathTo('settingsPart', { part: name })}
              class="settings-link"
              {...(name === shown ? { 'aria-current': 'page' as const } : {})}
            >
              {t.parts[name]}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function PartHeading({ text, isChosen }: { text: string; isChosen: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null)
  // On a phone the link that was followed is not there any more.
  useEffect(() => {
    if (isChosen && !isOnScreen(document.activeElement)) heading.current?.focus()
  }, [isChosen])
  return (
    <h2 ref={heading} tabIndex={-1}>
      {text}
    </h2>
  )
}

function isOnScreen(element: Element | null): boolean {
  return element !== null && element !== document.body && element.getClientRects().length > 0
}

function isPart(name: string): name is PartName {
  return Object.hasOwn(PARTS, name)
}
