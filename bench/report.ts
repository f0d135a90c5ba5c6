/** A run as a document: tables in Markdown, and a plot of the main figure of each suite. */
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { figure, ratio } from './figures.js'
import { plot } from './plot.js'
import type { Row, Suite } from './suite.js'
import { warning } from './table.js'

export interface Run {
  readonly time: string
  readonly command: string
  readonly machine: Readonly<Record<string, string | number | undefined>>
  readonly rows: readonly Row[]
}

/** Writes `{stem}.md`, and `{stem}-{suite}.svg` beside it. */
export async function writeReport(stem: string, run: Run, suites: readonly Suite[]): Promise<void> {
  const parts = [`# Benchmark of ${run.time.slice(0, 10)}`, `\`${run.command}\``, machineOf(run)]
  for (const suite of suites) {
    const rows = run.rows.filter((row) => row.suite === suite.name)
    if (rows.length === 0) continue
    const picture = `${stem}-${suite.name}.svg`
    await writeFile(picture, plot(suite, rows))
    parts.push(`## ${suite.title}`, `![${suite.title}](${basename(picture)})`, tableOf(suite, rows))
  }
  await writeFile(`${stem}.md`, `${parts.join('\n\n')}\n`)
}

function machineOf({ machine }: Run): string {
  return Object.entries(machine)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join('\n')
}

function tableOf(suite: Suite, rows: readonly Row[]): string {
  const head = ['cell', 'broker', ...suite.columns.map(({ label }) => label), 'TopicTalk is better by', '']
  const lines = rows.map((row) => {
    const ours = rows.find(({ cell, peer }) => cell === row.cell && peer === 'TopicTalk')
    const better = ours && ours !== row ? ratio(suite, ours, row) : null
    const figures = suite.columns.map((column) => figure(row.values[column.key], column))
    return [row.cell, row.peer, ...figures, better === null ? '' : `${better.toFixed(2)} ×`, warning(row)]
  })
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
