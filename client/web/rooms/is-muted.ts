export function isMuted({ mutedUntil }: { readonly mutedUntil: number | null }): boolean {
  return (mutedUntil ?? 0) > Date.now()
}
