import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.js'
import { placeBeside } from './place.js'
import { rove } from './roving.js'

export interface MenuItem {
  readonly icon?: IconName
  readonly text: string
  readonly isDanger?: boolean
  /** A line above it sets it apart. */
  readonly isApart?: boolean
  readonly act: () => void
}

/** Of a menu that its button has opened. */
export type Opened = Pick<MenuListProps, 'place' | 'close'> & { readonly owner: Element }

interface ButtonProps {
  /** What the button says. */
  readonly label: string
  /** What the button shows. */
  readonly icon: IconName
  readonly class?: string
  /** Told when the menu is opened and closed. */
  readonly onToggle?: (isOpen: boolean) => void
}

/** A button with a menu. */
export function Menu({ items, ...button }: ButtonProps & { readonly items: readonly MenuItem[] }) {
  return <MenuButton {...button}>{(opened) => <MenuList label={button.label} items={items} {...opened} />}</MenuButton>
}

interface MenuButtonProps extends ButtonProps {
  /** The menu, once it is open. */
  readonly children: (opened: Opened) => ComponentChildren
}

/** A button with a menu that is made when it is opened. */
export function MenuButton({
  label,
  icon,
  class: classes = 'button quiet square',
  onToggle,
  children,
}: MenuButtonProps) {
  const button = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  const toggle = (now: boolean): void => {
    setOpen(now)
    onToggle?.(now)
  }
  return (
    <>
      <button
        type="button"
        class={classes}
        ref={button}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => toggle(!isOpen)}
      >
        <Icon name={icon} />
      </button>
      {isOpen &&
        children({
          owner: button.current!,
          place: () => button.current!.getBoundingClientRect(),
          close: () => {
            toggle(false)
            button.current?.focus()
          },
        })}
    </>
  )
}

/** They point to where lines begin, or end. */
const POINTING: readonly IconName[] = ['reply', 'onward', 'leave']

interface MenuListProps {
  readonly label: string
  readonly items: readonly MenuItem[]
  /** Opens and closes it by itself. */
  readonly owner?: Element
  /** What the menu stands beside. */
  readonly place: () => DOMRect
  readonly close: () => void
  /** Above the items: of the role `menuitem`, with `data-entry`. */
  readonly children?: ComponentChildren
}

/** An open menu: the arrow keys move in it; Escape, Tab, an item and a click elsewhere close it. */
export function MenuList({ label, items, owner, place, close, children }: MenuListProps) {
  const list = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const menu = list.current!
    menu.showPopover()
    placeBeside(menu, place())
    menu.querySelector<HTMLElement>('[data-entry]')?.focus({ preventScroll: true })
    // Not the browser's `auto`: the end of the long press that opens a menu would close it.
    const closeOutside = ({ target }: Event): void => {
      if (target instanceof Node && !menu.contains(target) && !owner?.contains(target)) close()
    }
    document.addEventListener('pointerdown', closeOutside)
    return () => document.removeEventListener('pointerdown', closeOutside)
  }, [])
  /** The finger that opened it by a long press may lie on an item when it is lifted: that is no choice. */
  const isPressed = useRef(false)
  const chooses = (event: MouseEvent): void => {
    if (event.detail > 0 && !isPressed.current) event.stopPropagation()
  }
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Tab' || event.key === 'Escape') {
      event.preventDefault()
      event.stopPropagation()
      close()
    } else rove(event)
  }
  return (
    <div
      ref={list}
      class="menu"
      popover="manual"
      role="menu"
      aria-label={label}
      onKeyDown={keys}
      onClickCapture={chooses}
      onPointerDown={() => {
        isPressed.current = true
      }}
    >
      {children}
      {items.map(({ icon, text, isDanger, isApart, act }) => (
        <button
          key={text}
          type="button"
          role="menuitem"
          class={`menu-item${isDanger ? ' danger' : ''}${isApart ? ' apart' : ''}`}
          data-entry
          tabIndex={-1}
          onClick={() => {
            close()
            act()
          }}
        >
          {icon && <Icon name={icon} mirrored={POINTING.includes(icon)} />}
          {text}
        </button>
      ))}
    </div>
  )
}
