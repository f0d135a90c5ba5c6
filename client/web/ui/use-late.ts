import { useEffect, useState } from 'preact/hooks'

/** Ms that a person is given to go on typing. */
const PAUSE = 250

/** The value as it was when it last rested. */
export function useLate<T>(value: T): T {
  const [late, setLate] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), PAUSE)
    return () => clearTimeout(timer)
  }, [value])
  return late
}
