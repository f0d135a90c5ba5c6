/** Keeping order: what is looked at before it is written, what is reported, and what is on record. */
import type { Config } from '../../../schemas/config.js'
import { Screening } from '../messages/screening.js'
import type { Actor } from '../model/actor.js'
import { ContentFilters } from '../moderation/filters/filters.js'
import { PolicyScreen } from '../moderation/policies.js'
import { Reports, type ReportsDeps } from '../moderation/reports.js'
import type { RoomServices } from './rooms.js'
import type { SharedServices } from './shared.js'

export function makeModeration(
  { moderation, policies }: Config,
  { store, rules, references, screens, run, accountOf }: SharedServices & RoomServices & Pick<ReportsDeps, 'run'>,
) {
  const filters = new ContentFilters(moderation.filters, () => store.moderation.filters)
  const mayModerate = (actor: Actor, room: string): boolean => rules.mayModerate(actor, room, 'moderate')
  const policyScreen = new PolicyScreen(policies, store.directory, mayModerate)
  return {
    reports: new Reports({ store, rules, references, keep: moderation.keepReports, run, accountOf }),
    screening: new Screening([policyScreen, filters, ...screens]),
  }
}

export type ModerationServices = ReturnType<typeof makeModeration>
