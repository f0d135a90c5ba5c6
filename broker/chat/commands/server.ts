import type { SERVER_COMMANDS } from '../../../schemas/commands/server.js'
import type { CommandResult } from '../../../schemas/commands.js'
import type { Config } from '../../../schemas/config.js'
import { LOGO_PATH } from '../../../schemas/web-paths.js'
import { readVersion } from '../../util/version.js'
import { whoRegisters } from '../devices/who-registers.js'
import { whyNoFiles } from '../files/takes-files.js'
import type { Handlers } from './table.js'

/** Where a browser begins a login at an identity provider. */
const OIDC_START = '/v1/auth/oidc/start'

export function serverCommands(config: Config): Handlers<keyof typeof SERVER_COMMANDS> {
  const version = readVersion()
  return { 'server.info': async () => JSON.stringify(describe(config, version)) }
}

/** Some of it changes while the broker runs, so it is read each time. Nothing here may be a secret: it is told to anyone. */
function describe(config: Config, version: string): CommandResult<'server.info'> {
  const { server, listen, auth, limits, history, search, receipts, rooms, policies, media } = config
  const { payloadBytes, syncBytes, replyBytes, clientIdBytes, filterBytes, subscriptions } = limits
  const { reactionsPerMessage, typingPerSecond } = limits
  const fileBytes = whyNoFiles(config) === null ? media.fileBytes : 0
  const ofClients = { payloadBytes, syncBytes, replyBytes, clientIdBytes, filterBytes, subscriptions }
  return {
    name: server.name,
    color: server.color,
    logo: server.logo === null ? null : LOGO_PATH,
    version,
    wsPath: listen.wsPath,
    login: {
      registration: auth.registration,
      totp: true,
      oidc: auth.oidc.issuer === null ? null : { start: OIDC_START, name: auth.oidc.name },
      anonymous: auth.anonymous,
    },
    limits: { ...ofClients, editWindow: history.editWindow, reactionsPerMessage, typingPerSecond, fileBytes },
    features: {
      search: search.enabled,
      delivered: receipts.delivered,
      createRooms: rooms.create,
      autoCreate: rooms.autoCreate,
      registerDevices: whoRegisters(config),
    },
    policies,
  }
}
