// Puts the lines of the cookbook to their tests, in the Node that runs this, and prints a line of JSON for each test.
// Names of blocks as arguments: only those.
import { readdirSync } from 'node:fs'
import { check } from './line.mjs'

/** How long a test may take: all of them run side by side. */
const PATIENCE_MS = 60_000

const shared = ['cookbook.mjs', 'line.mjs', 'recording.mjs', 'run.mjs']
const consumers = readdirSync(import.meta.dirname).filter(
  (name) => name.endsWith('.mjs') && !shared.includes(name),
)
const wanted = process.argv.slice(2)

await Promise.all(
  consumers.map(async (name) => {
    const { lines } = /** @type {{ lines: import('./line.mjs').Line[] }} */ (await import(`./${name}`))
    await Promise.all(lines.filter(({ block }) => wanted.length === 0 || wanted.includes(block)).map(test))
  }),
)
process.exit() // some clients keep a timer

/** @param {import('./line.mjs').Line} line */
async function test(line) {
  const { block, moments, faults, retries, refuses } = line
  await Promise.all([
    ...moments.map((moment) => attempt(block, moment, () => check(line, moment))),
    retries && attempt(block, 'retry', () => check(line, 'whole', { failures: 1 })),
    ...faults.map((fault) =>
      attempt(block, `finds a wrong ${fault}`, async () => {
        const found = await check(line, 'whole', { fault }).then(
          () => undefined,
          (error) => error,
        )
        if (found === undefined) throw new Error(`a wrong ${fault} went unseen`)
        // It must be the judge who finds it, or Wavespool, or the consumer, and not a line that does not run.
        if (!/^ERR_(ASSERTION|WAVESPOOL)/.test(found.code) && !refuses?.test(found.message)) throw found
      }),
    ),
  ])
}

/** @param {string} block @param {string} what @param {() => Promise<void>} run */
async function attempt(block, what, run) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came of it in ${PATIENCE_MS} ms`)), PATIENCE_MS)
  })
  try {
    await Promise.race([run(), late])
    console.log(JSON.stringify({ block, what }))
  } catch (error) {
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.log(JSON.stringify({ block, what, error: said }))
  } finally {
    clearTimeout(timer)
  }
}
