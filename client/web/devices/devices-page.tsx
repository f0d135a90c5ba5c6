import { useEffect, useState } from 'preact/hooks'
import type { CommandResult } from '../../../schemas/commands.js'
import { usePresent } from '../state/context.js'
import { pathTo } from '../state/router.js'
import { askServer, server } from '../state/server.js'
import { AnswerView } from '../ui/answer-view.js'
import { Avatar } from '../ui/avatar.js'
import { Empty } from '../ui/empty.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { rove } from '../ui/roving.js'
import { useIsAdmin } from '../ui/use-is-admin.js'
import { useKept } from '../ui/use-kept.js'
import { useRequest } from '../ui/use-request.js'
import { AddDevice } from './add-device.js'
import { Credentials, type GivenKey } from './credentials.js'
import { Offers } from './offers.js'
import { PageFrame } from './page-frame.js'
import { PresenceLine } from './presence-line.js'
import { deviceTexts } from './texts.js'

type Device = CommandResult<'devices.list'>['devices'][number]

/** Devices that are asked for. */
const MOST = 500

/** The devices of the user, those that others share, and those that others offer. */
export default function DevicesPage() {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const [version, setVersion] = useState(0)
  const [isAdding, setAdding] = useState(false)
  const [given, setGiven] = useState<GivenKey | null>(null)
  const mayAdd = useMayAdd()
  const answer = useKept(
    useRequest(String(version), async (signal) => {
      const [{ devices }, { offers }] = await Promise.all([
        chat.ask.devices.list({ limit: MOST }, { signal }),
        chat.ask.devices.offers({}, { signal }),
      ])
      return { devices, offers }
    }),
  )
  useEffect(() => {
    const again = (): void => setVersion((count) => count + 1)
    const stops = [chat.on('device', again), chat.on('deviceOffered', again)]
    return () => {
      for (const stop of stops) stop()
    }
  }, [chat])
  const took = (key: GivenKey): void => {
    setAdding(false)
    setGiven(key)
    setVersion(version + 1)
  }
  const add = mayAdd && (
    <button type="button" class="button primary" onClick={() => setAdding(true)}>
      {t.add}
    </button>
  )
  return (
    <PageFrame title={t.devices} above="/" tools={answer.state === 'done' && answer.value.devices.length > 0 && add}>
      <AnswerView answer={answer}>
        {({ devices, offers }) => (
          <>
            <Offers offers={offers} accepted={took} declined={() => setVersion(version + 1)} />
            <DeviceList devices={devices} />
            {devices.length === 0 && (
              <Empty title={t.noDevices} hint={mayAdd === false ? t.adminsAdd : t.noDevicesHint}>
                {add}
              </Empty>
            )}
          </>
        )}
      </AnswerView>
      {isAdding && <AddDevice added={took} close={() => setAdding(false)} />}
      {given && <Credentials {...given} close={() => setGiven(null)} />}
    </PageFrame>
  )
}

/** Null: it is not known yet, or cannot be asked for. */
function useMayAdd(): boolean | null {
  useEffect(askServer)
  const by = server.value?.features.registerDevices
  const isAdmin = useIsAdmin(by === 'admin')
  if (by === undefined) return null
  return by === 'user' || isAdmin
}

function DeviceList({ devices }: { devices: readonly Device[] }) {
  const t = deviceTexts.value
  return (
    <ul class="result-list" aria-label={t.devices} onKeyDown={rove}>
      {devices.map(({ device, name, owner, may }, at) => (
        <li key={device}>
          <Link to={pathTo('device', { device })} class="result" isEntry tabIndex={at === 0 ? 0 : -1}>
            <Avatar id={device} name={name ?? device} />
            <span class="result-title">
              <Name text={name} fallback={device} isLine />
            </span>
            <span class="result-more">
              {may === 'own' ? <bdi>{device}</bdi> : t.ownedBy(owner)}
              {' · '}
              <PresenceLine device={device} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}
