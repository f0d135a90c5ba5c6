/** In place of messages that come for the first time. It has no height of its own, so nothing moves when they come; styles show it after a moment. */
export function TimelineSkeleton() {
  return (
    <div class="timeline-skeleton" aria-hidden="true">
      <div>
        {[1, 2, 3, 4, 5, 6].map((n) => (
          <p key={n} />
        ))}
      </div>
    </div>
  )
}
