import { closeDialogOf, messageDialog } from '../room/message-dialogs.js'
import { ReportDialog } from '../rooms/manage/report-dialog.js'
import { EmojiDialog } from './emoji-dialog.js'
import { ForwardDialog } from './forward-dialog.js'
import { Versions } from './versions.js'
import { WhoReacted } from './who-reacted.js'

/** The dialog about a message that is open. */
export default function MessageDialogs() {
  const open = messageDialog.value
  if (open === null) return null
  if (open.kind === 'emoji') return <EmojiDialog choose={open.choose} close={closeDialogOf} />
  if (open.kind === 'forward') return <ForwardDialog message={open.message} close={closeDialogOf} />
  if (open.kind === 'report') return <ReportDialog target={{ room: open.room, seq: open.seq }} close={closeDialogOf} />
  const Shown = open.kind === 'reactions' ? WhoReacted : Versions
  return <Shown view={open.view} seq={open.seq} close={closeDialogOf} />
}
