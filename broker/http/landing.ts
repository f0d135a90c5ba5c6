/** The landing page `GET /`: what this is, where it listens, and how to connect a first client. */
import { topics } from '../../schemas/topics.js'
import { escapeHtml } from './html.js'

/** The key under `listen` of a listener. */
type ListenerName = 'mqtt' | 'mqtts' | 'http' | 'https'

export interface About {
  version: string
  listeners: readonly { readonly name: ListenerName; readonly port: number }[]
  wsPath: string
  /** A room for a first message. */
  room: string
}

/** The same facts as JSON. `listeners` has ports only: the client knows by which host name it connected. */
export function aboutJson({ version, listeners, wsPath, room }: About): object {
  const ports = Object.fromEntries(listeners.map(({ name, port }) => [name, port]))
  return { name: 'TopicTalk', version, description: DESCRIPTION, listeners: ports, wsPath, room, docs: '/docs' }
}

const DESCRIPTION = 'A chat and notification broker that speaks plain MQTT: rooms, people and devices are topics.'

/** @param host The Host header, so that the commands to paste work from the reader's machine. */
export function landingPage({ version, listeners, wsPath, room }: About, host: string | undefined): string {
  const name = escapeHtml(hostname(host))
  const urls = listeners.map((listener) => ({ listener, url: listenerUrl(listener, name, wsPath) }))
  const mqtt = listeners.find((listener) => listener.name === 'mqtt')
  const to = `-h ${name.replace(/[[\]]/g, '')}${mqtt && mqtt.port !== 1883 ? ` -p ${mqtt.port}` : ''} -u alice -P alice-pw`
  const topic = escapeHtml(topics.room(room, 'messages'))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TopicTalk</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>TopicTalk <small>${escapeHtml(version)}</small></h1>
<p>${DESCRIPTION} Any MQTT client is a chat client; a message that was acknowledged is on disk, has a number, and
reaches every member of its room, however long they were away.</p>
<h2>Where to connect</h2>
<table>
${urls.map(({ listener, url }) => `<tr><th scope="row">${WHAT[listener.name]}</th><td><code>${url}</code></td></tr>`).join('\n')}
</table>
<h2>A first message</h2>
<p>Add a user, on the machine the broker runs on:</p>
<pre>echo alice-pw | npx topictalk user add alice --password-stdin</pre>
<p>Listen to a room, which also joins it, and say something from another terminal:</p>
<pre>mosquitto_sub ${to} -t ${topic}
mosquitto_pub ${to} -q 1 -t ${topic} -m 'hello'</pre>
<p>Or chat in a terminal:</p>
<pre>npx topictalk chat ${escapeHtml(room)} --url ${mqtt ? listenerUrl(mqtt, name, wsPath) : `ws://${name}${wsPath}`} --user alice</pre>
<p>The same over HTTP, for scripts and web pages: <a href="/docs">its routes</a>.</p>
</main>
</body>
</html>
`
}

const WHAT: Record<ListenerName, string> = {
  mqtt: 'MQTT',
  mqtts: 'MQTT over TLS',
  http: 'MQTT over WebSocket',
  https: 'MQTT over WebSocket and TLS',
}

function listenerUrl({ name, port }: About['listeners'][number], host: string, wsPath: string): string {
  if (name === 'mqtt' || name === 'mqtts') return `${name}://${host}:${port}`
  return `${name === 'http' ? 'ws' : 'wss'}://${host}:${port}${escapeHtml(wsPath)}`
}

/** The host name of a Host header, without the port; anything else is not echoed. */
function hostname(host: string | undefined): string {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?$/i.exec(host ?? '')
  return match ? match[1]! : 'localhost'
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { margin: 0; font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0 0 1rem; font-size: 2rem; letter-spacing: -0.02em; }
h1 small { font-size: 0.9rem; font-weight: normal; opacity: 0.6; letter-spacing: 0; }
h2 { margin: 2.25rem 0 0.5rem; font-size: 1.1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: 0.4rem 0; border-bottom: 1px solid var(--line); text-align: left; font-weight: normal; }
code, pre { font: 0.9rem/1.5 ui-monospace, monospace; }
pre { padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.4rem; background: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
`
