import { PERMISSIONS, ROOM_ROLES, type RoomAct, type RoomRole } from '../../../../schemas/permissions.js'
import { roomTexts } from './texts.js'

/** Who may do what in a room: for each role what it may do besides what the roles below it may. */
export function RoomRights({ role: own }: { role: RoomRole | null }) {
  const t = roomTexts.value
  const acts = Object.keys(PERMISSIONS) as RoomAct[]
  return (
    <details class="rights">
      <summary>{t.mayDoWhat}</summary>
      {[...ROOM_ROLES].reverse().map((role) => (
        <section key={role}>
          <h3>
            {t.roles[role]}
            {role === own && ` (${t.you})`}
          </h3>
          <ul>
            {acts
              .filter((act) => PERMISSIONS[act].least === role)
              .map((act) => (
                <li key={act}>{t.may[act]}</li>
              ))}
          </ul>
        </section>
      ))}
    </details>
  )
}
