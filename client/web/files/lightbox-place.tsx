import { lazy } from '../ui/lazy.js'
import { lightbox } from './lightbox-state.js'

const Lightbox = lazy(() => import('./lightbox.js'))

/** Where pictures are shown over the page. */
export function LightboxPlace() {
  return lightbox.value && <Lightbox opened={lightbox.value} />
}
