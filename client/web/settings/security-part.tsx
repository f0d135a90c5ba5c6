import { PasswordSection } from './password-section.js'
import { TotpSection } from './totp-section.js'

export function SecurityPart() {
  return (
    <>
      <PasswordSection />
      <TotpSection />
    </>
  )
}
