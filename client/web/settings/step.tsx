import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

interface StepProps {
  /** Something else stood here before, and had the focus. */
  readonly isNext: boolean
  readonly children: ComponentChildren
}

/** One of several things that take each other's place: the focus goes on in it, at its first field if it has one. */
export function Step({ isNext, children }: StepProps) {
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const { current } = place
    if (isNext && current) (current.querySelector('input') ?? current).focus()
  }, [])
  return (
    <div class="settings-section settings-step" ref={place} tabIndex={-1}>
      {children}
    </div>
  )
}
