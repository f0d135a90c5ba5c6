import { useEffect, useState } from 'preact/hooks'
import { texts } from '../text/text.js'
import type { Area } from '../ui/area.js'
import { Icon } from '../ui/icon.js'

interface DropZoneProps {
  /** Where one writes: with a thread beside the room there are two. */
  readonly area: Area
  readonly take: (files: readonly File[]) => void
}

/** Files that are dragged over the page go to the room or the thread, wherever they are let go. */
export function DropZone({ area, take }: DropZoneProps) {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const over = (event: DragEvent): void => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      setOver(isOf(area, event.target))
    }
    const left = (event: DragEvent): void => {
      // To another element of the page it is still over.
      if (event.relatedTarget === null) setOver(false)
    }
    const drop = (event: DragEvent): void => {
      setOver(false)
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      if (isOf(area, event.target)) take(filesIn(event.dataTransfer))
    }
    const listeners = { dragover: over, dragleave: left, drop }
    for (const [name, listen] of Object.entries(listeners)) addEventListener(name, listen as EventListener)
    return () => {
      for (const [name, listen] of Object.entries(listeners)) removeEventListener(name, listen as EventListener)
    }
  }, [take])
  if (!isOver) return null
  return (
    <div class="drop-zone">
      <Icon name="attach" />
      <p>{texts.value.files.drop}</p>
    </div>
  )
}

/** Whether what is let go there is for this place: the thread, over the thread; else the room. */
function isOf({ current }: Area, target: EventTarget | null): boolean {
  const over = target instanceof Element ? target.closest('.panel') : null
  const pane = over?.querySelector('.composer') ? over : document.querySelector('.room-pane')
  return pane?.contains(current) === true
}

/** Directories are none. */
function filesIn({ items }: DataTransfer): File[] {
  return [...items].flatMap((item) => {
    const isDirectory = item.webkitGetAsEntry?.()?.isDirectory === true
    const file = item.kind === 'file' && !isDirectory ? item.getAsFile() : null
    return file ? [file] : []
  })
}
