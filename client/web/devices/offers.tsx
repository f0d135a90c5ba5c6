import type { CommandResult } from '../../../schemas/commands.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { Name } from '../ui/name.js'
import { useSubmit } from '../ui/use-submit.js'
import type { GivenKey } from './credentials.js'
import { Part } from './part.js'
import { deviceTexts } from './texts.js'

type Offer = CommandResult<'devices.offers'>['offers'][number]

interface OffersProps {
  readonly offers: readonly Offer[]
  readonly accepted: (key: GivenKey) => void
  readonly declined: () => void
}

/** Devices that others give the user. */
export function Offers({ offers, ...answered }: OffersProps) {
  if (offers.length === 0) return null
  return (
    <Part title={deviceTexts.value.offers}>
      <ul class="rows">
        {offers.map((offer) => (
          <OfferRow key={offer.device} offer={offer} {...answered} />
        ))}
      </ul>
    </Part>
  )
}

function OfferRow({ offer: { device, name, by }, accepted, declined }: { offer: Offer } & Omit<OffersProps, 'offers'>) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const accept = useSubmit(async () => accepted({ device, token: (await chat.ask.devices.accept({ device })).key }))
  const decline = useSubmit(async () => {
    await chat.ask.devices.decline({ device })
    declined()
  })
  const error = accept.error ?? decline.error
  return (
    <li class="row">
      <div class="row-texts">
        <strong>
          <Name text={name} fallback={device} />
        </strong>
        <p class="hint">
          <bdi>{device}</bdi> · {t.offeredBy(by)}
        </p>
        {error && <p class="error">{problemText(error)}</p>}
      </div>
      <button type="button" class="button small primary" onClick={accept.submit}>
        {t.accept}
      </button>
      <button type="button" class="button small" onClick={decline.submit}>
        {t.decline}
      </button>
    </li>
  )
}
