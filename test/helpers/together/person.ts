/** One of the people of a story: a browser of their own, in which they go from one part of the app to the next without loading it anew. */
import type { Locator } from 'playwright-core'
import { type WebApp, WebPage } from '../web-page.js'

/** There is space for a panel beside the room. */
const VIEWPORT = { width: 1280, height: 860 }

export class Person extends WebPage {
  readonly user: string

  private constructor(page: WebPage['page'], user: string) {
    super(page)
    this.user = user
  }

  /** Opens an address in a new browser, in which nobody is logged in. */
  static async visit(app: WebApp, user: string, address: string): Promise<Person> {
    const permissions = ['microphone', 'clipboard-read', 'clipboard-write', 'notifications']
    const page = await (await app.context({ viewport: VIEWPORT, permissions })).newPage()
    await page.goto(address)
    return new Person(page, user)
  }

  /** Of the room, also where a thread stands beside it. */
  override get composer(): Locator {
    return this.page.locator('#room .composer textarea')
  }

  get panel(): Locator {
    return this.page.getByRole('complementary')
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog')
  }

  get header(): Locator {
    return this.page.locator('.room-header')
  }

  /** The last message in the room with this text: one that quotes it is another one. */
  row(text: string | RegExp): Locator {
    const said = this.page.locator('.message-text', { hasText: text })
    return this.page.locator('#room .message', { has: said }).last()
  }

  /** The link to a room in the list. */
  listed(room: string): Locator {
    return this.page.locator(`[data-room="${room}"] .room-row`)
  }

  /** Goes to a room by the list. */
  async goTo(room: string): Promise<void> {
    await this.listed(room).click()
    await this.page.locator(`[data-room="${room}"] [aria-current]`).waitFor()
  }

  async press(name: string | RegExp, within: Locator = this.page.locator('body')): Promise<void> {
    await within.getByRole('button', { name, exact: true }).click()
  }

  /** Chooses from the menu that a button opens. */
  async choose(
    menu: string | RegExp,
    item: string | RegExp,
    within: Locator = this.page.locator('body'),
  ): Promise<void> {
    await this.press(menu, within)
    await this.page.getByRole('menuitem', { name: item, exact: true }).click()
    await this.page.getByRole('menu').waitFor({ state: 'detached' })
  }

  /** Chooses from the menu of a message in the room. */
  async act(text: string | RegExp, item: string): Promise<void> {
    await this.row(text).hover()
    await this.choose('More', item, this.row(text))
  }

  /** Presses a button of the tools beside a message in the room. */
  async tool(text: string | RegExp, name: string): Promise<void> {
    await this.row(text).hover()
    await this.press(name, this.row(text))
  }

  /** Opens a panel of the room that is shown, from the one that is about the room. */
  async about(entry?: string | RegExp): Promise<void> {
    await this.page.locator('.room-title').click()
    await this.panel.getByRole('heading', { name: /^About this/ }).waitFor()
    if (entry !== undefined) await this.panel.getByRole('button', { name: entry }).click()
  }

  /** Closes the panel, and those it was opened from. */
  async closePanels(): Promise<void> {
    while ((await this.panel.count()) > 0) {
      const name = await this.panel.getByRole('heading').first().innerText()
      await this.press('Close', this.panel)
      await this.page.getByRole('complementary', { name, exact: true }).waitFor({ state: 'detached' })
    }
  }

  async openSettings(part: string): Promise<void> {
    await this.press(`Logged in as ${this.user}`)
    await this.dialog.getByRole('link', { name: 'Settings' }).click()
    await this.page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: part, exact: true }).click()
    await this.page.getByRole('heading', { name: part, exact: true }).waitFor()
  }

  /** Waits until something that was set is kept. */
  async saved(): Promise<void> {
    await this.page.locator('.save-state', { hasText: 'Saved' }).first().waitFor()
  }

  /** Fills in who one is, and a password. */
  async identify(password: string, user = this.user): Promise<void> {
    await this.page.locator('input[name=username]').fill(user)
    await this.page.locator('input[name=password]').fill(password)
    await this.page.locator('button[type=submit]').click()
  }

  async isIn(): Promise<void> {
    await this.page.getByRole('button', { name: /^Logged in as/ }).waitFor()
  }
}
