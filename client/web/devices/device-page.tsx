import { useEffect, useMemo, useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { navigate, pathTo } from '../state/router.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { Empty } from '../ui/empty.js'
import { useRequest } from '../ui/use-request.js'
import { Bridges } from './bridges.js'
import { SeriesCard } from './chart.js'
import { Commands } from './commands.js'
import { Credentials, type GivenKey } from './credentials.js'
import { DeviceMenu } from './device-menu.js'
import { DeviceFeed } from './feed.js'
import { PageFrame } from './page-frame.js'
import { Part } from './part.js'
import { PresenceLine } from './presence-line.js'
import { Shares } from './shares.js'
import { StateList } from './state-list.js'
import { deviceTexts } from './texts.js'

/** One device: what it says, what it is asked to do, and who may do that. */
export default function DevicePage({ device = '' }: { device?: string }) {
  return <DeviceOf key={device} device={device} />
}

function DeviceOf({ device }: { device: string }) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const [version, setVersion] = useState(0)
  const [given, setGiven] = useState<GivenKey | null>(null)
  const answer = useRequest(String(version), (signal) => chat.ask.devices.get({ device }, { signal }))
  const [known, setKnown] = useState<Extract<typeof answer, { state: 'done' }>['value'] | null>(null)
  useEffect(() => void (answer.state === 'done' && setKnown(answer.value)), [answer])
  useEffect(
    () =>
      chat.on('device', (event) => {
        if (event.device !== device) return
        if (event.may === null) setKnown(null)
        setVersion((count) => count + 1)
      }),
    [chat, device],
  )
  if (answer.state === 'failed' && !known)
    return (
      <PageFrame title={device} above={pathTo('devices')} isBackShown>
        <Empty title={problemText(answer.error)}>
          <button type="button" class="button" onClick={() => setVersion(version + 1)}>
            {texts.value.retry}
          </button>
        </Empty>
      </PageFrame>
    )
  const { name = null, owner, may } = known ?? {}
  const title = name ?? device
  const again = (): void => setVersion(version + 1)
  return (
    <PageFrame
      title={title}
      above={pathTo('devices')}
      isBackShown
      about={
        <>
          <PresenceLine device={device} />
          {known && ` · ${may === 'own' ? t.yours : t.ownedBy(owner ?? '')}`}
        </>
      }
      tools={
        known && (
          <DeviceMenu
            device={device}
            title={title}
            may={known.may}
            given={setGiven}
            gone={() => navigate(pathTo('devices'), { replace: true })}
          />
        )
      }
    >
      {!known && <p class="loading late">{texts.value.loading}</p>}
      {known && (
        <>
          <Told device={device} />
          <Commands device={device} mayCommand={known.may !== 'read'} />
          {known.may === 'own' && <Shares device={device} shares={known.shares} changed={again} />}
          {known.may === 'own' && <Bridges device={device} bridges={known.bridges} changed={again} />}
        </>
      )}
      {given && <Credentials {...given} close={() => setGiven(null)} />}
    </PageFrame>
  )
}

/** What it says, live. */
function Told({ device }: { device: string }) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const feed = useMemo(() => new DeviceFeed(chat, device), [chat, device])
  useEffect(() => () => feed.dispose(), [feed])
  const { state, series } = feed.told.value
  return (
    <>
      <StateList state={state} />
      <Part title={t.telemetry}>
        {series.length === 0 && <p class="hint">{t.noTelemetry}</p>}
        <ul class="series-list">
          {series.map((one) => (
            <SeriesCard key={one.name} series={one} />
          ))}
        </ul>
      </Part>
    </>
  )
}
