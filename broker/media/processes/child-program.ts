/** What the programs share that read one file in a process of their own: a task as argument, an answer as JSON, a limit on memory. */
import type { Unread } from './child-processes.js'

/** Ms between two looks at the memory. */
const LOOK_EVERY = 25
/** Longest reason that is told, in characters. */
const MOST_TOLD = 200

/** The task of this process, whose memory is looked at from now on. */
export function takeTask<Task>(): Task {
  const task = JSON.parse(process.argv[2]!) as Task & { memory: number }
  setInterval(() => {
    if (process.memoryUsage.rss() > task.memory) answer({ refused: 'it takes too much memory' })
  }, LOOK_EVERY).unref()
  return task
}

/** Answers with what `read` finds, or with why it finds nothing, and ends the process. */
export async function answerWith(read: () => Promise<object>): Promise<never> {
  try {
    return answer(await read())
  } catch (error) {
    return answer({ refused: (error as Error).message.split('\n')[0]!.slice(0, MOST_TOLD) })
  }
}

function answer(outcome: object | Unread): never {
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
  process.exit(0)
}
