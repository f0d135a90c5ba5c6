/** Loaded into a broker's process before its own modules (`node --import`): with SIGUSR2 its clock is an hour ahead from then on. */
const HOUR = 3_600_000
const now = Date.now

/** What makes a broker's process such a one. */
export const CLOCK_AHEAD: Readonly<Record<string, string>> = {
  CLOCK_AHEAD: 'yes',
  NODE_OPTIONS: `--import=${import.meta.url}`,
}

if (process.env['CLOCK_AHEAD'] === 'yes')
  process.once('SIGUSR2', () => {
    Date.now = () => now() + HOUR
  })
