import type { Config } from '../../../schemas/config.js'

/** Who registers devices: where users cannot register accounts, they cannot register devices either. It may change while the broker runs. */
export function whoRegisters({ devices, auth }: Pick<Config, 'devices' | 'auth'>): Config['devices']['register'] {
  return auth.registration === 'open' ? devices.register : 'admin'
}
