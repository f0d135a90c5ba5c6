/** Bars of a suite's main figure: a group for each cell, a bar for each broker. */
import { figure } from './figures.js'
import type { Row, Suite } from './suite.js'

const WIDTH = 760
const LEFT = 240
const RIGHT = 80
const BAR = 14
const GAP = 12
const TOP = 56
const COLOURS = ['#2563eb', '#f59e0b', '#64748b', '#10b981', '#a855f7']

export function plot({ columns, main, title }: Suite, rows: readonly Row[]): string {
  const column = columns.find(({ key }) => key === main.key)!
  const cells = [...new Set(rows.map(({ cell }) => cell))]
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const most = Math.max(...rows.map(({ values }) => values[main.key] ?? 0), Number.MIN_VALUE)
  const parts: string[] = []
  let y = TOP
  for (const cell of cells) {
    const group = rows.filter((row) => row.cell === cell)
    parts.push(text(LEFT - 8, y + (group.length * BAR) / 2 + 4, cell, 'end'))
    for (const { peer, values } of group) {
      const value = values[main.key] ?? 0
      const length = Math.max(1, (Math.max(value, 0) / most) * (WIDTH - LEFT - RIGHT))
      parts.push(bar(y, length, peers.indexOf(peer)), text(LEFT + length + 4, y + BAR - 3, figure(value, column)))
      y += BAR
    }
    y += GAP
  }
  const better = `${column.label}: ${main.better} is better`
  const legend = peers.map((peer, i) => `${square(LEFT + 110 * i, i)}${text(LEFT + 110 * i + 14, 42, peer)}`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="11">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(LEFT, 20, better),
    ...legend,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

function bar(y: number, length: number, peer: number): string {
  return `<rect x="${LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR - 2}" fill="${colour(peer)}"/>`
}

function square(x: number, peer: number): string {
  return `<rect x="${x}" y="33" width="10" height="10" fill="${colour(peer)}"/>`
}

function colour(peer: number): string {
  return COLOURS[peer % COLOURS.length]!
}

function text(x: number, y: number, value: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#111">${escaped(value)}</text>`
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
