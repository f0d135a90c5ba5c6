import type { DirectoryStore } from '../../store/directory.js'
import type { ProfileRecord } from '../../store/users.js'

/** The profile of a user, who may have none, or not exist any more. */
export async function profileOf(directory: Pick<DirectoryStore, 'profile'>, user: string): Promise<ProfileRecord> {
  return (await directory.profile(user)) ?? plainProfile(user)
}

export function plainProfile(user: string): ProfileRecord {
  return { user, name: null, avatar: null, fields: {}, updatedAt: null }
}
