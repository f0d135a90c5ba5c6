import type { Outgoing } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { server } from '../state/server.js'
import { refusalText } from './refusal-text.js'

/** Why the broker did not take a message, or a change of one. */
export default function Refusal({ outgoing }: { outgoing: Outgoing }) {
  const { chat } = usePresent()
  const info = signalOf(chat.room(outgoing.room).info).value
  const state = signalOf(outgoing.state).value
  if (state.at !== 'failed') return null
  return <span>{refusalText({ error: state.error, text: outgoing.input.text, info, server: server.value })}</span>
}
