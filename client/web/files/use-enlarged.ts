import { useEffect, useState } from 'preact/hooks'

/** Whether two fingers have enlarged the page: one moves it about then. */
export function useEnlarged(): boolean {
  const [isEnlarged, setEnlarged] = useState(isNow)
  useEffect(() => {
    const look = (): void => setEnlarged(isNow())
    visualViewport?.addEventListener('resize', look)
    return () => visualViewport?.removeEventListener('resize', look)
  }, [])
  return isEnlarged
}

/** A little more than 1 can be left of a pinch that made it small again. */
function isNow(): boolean {
  return (visualViewport?.scale ?? 1) > 1.01
}
