// Random lives of VirtualFiles against a model, on every storage.
// Usage: node --expose-gc soak.mjs [--seed N] [--seconds S] [--storage NAME] [--life N] [--many N] [--no-table]
// The seed is printed, and the number of the life that went wrong: with both, that life alone is lived again. At the
// end `many` short VirtualFiles are made on each storage, of which nothing may be left, and the table of faults is run
// with each fault at every moment.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Life } from './life.mjs'
import { Random } from './random.mjs'
import { storages } from './storages.mjs'
import { Readers } from './worker.mjs'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    seconds: { type: 'string', default: '300' },
    storage: { type: 'string' },
    life: { type: 'string' },
    many: { type: 'string', default: '10000' },
    'no-table': { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const names = values.storage ? [values.storage] : Object.keys(storages)
console.log(`Node ${process.versions.node}, --seed ${seed}, ${values.seconds} s on ${names.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'wavespool-soak-'))
/** @type {Record<string, number>} */
const counts = {}
/** @type {string[]} */
const faults = []
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') faults.push(`a warning: ${warning.stack}`)
})
process.on('unhandledRejection', (error) => faults.push(`unhandled: ${/** @type {Error} */ (error)?.stack}`))
process.on('uncaughtException', (error) => faults.push(`uncaught: ${error.stack}`))

const threads = new Readers()

/** @param {string} name @param {number} number */
async function live(name, number) {
  const random = new Random(seed ^ Math.imul(number + 1, 0x9e3779b1))
  const made = storages[name]?.(folder, random)
  if (made === undefined) throw new Error(`no such storage: ${name}`)
  const life = new Life(random, made, counts, threads)
  try {
    await life.live()
    if (made.directory) {
      const left = readdirSync(made.directory).filter(
        (file) => join(/** @type {string} */ (made.directory), file) !== made.path,
      )
      if (left.length > 0) throw new Error(`left in the directory: ${left}`)
      rmSync(made.directory, { recursive: true })
    }
  } catch (error) {
    const trace = life.trace
      .slice(-60)
      .filter((what) => !what.endsWith('at the end'))
      .join(', ')
    faults.push(
      `--seed ${seed} --storage '${name}' --life ${number} (${life.model.label}, ${life.ending}): ${/** @type {Error} */ (error).stack}\n    after ${trace}`,
    )
  }
}

function descriptors() {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

async function collected() {
  for (let i = 0; i < 5; i++) {
    global.gc?.()
    await turn()
  }
  return { descriptors: descriptors(), heap: process.memoryUsage().heapUsed }
}

/** Lives side by side, four on each storage, until time is over or something is wrong. @param {number} until */
async function run(until) {
  let lives = 0
  await Promise.all(
    names.flatMap((name) =>
      Array.from({ length: 4 }, async () => {
        while (performance.now() < until && faults.length === 0) await live(name, lives++)
      }),
    ),
  )
  return lives
}

let lives = 1
const start = performance.now()
if (values.life !== undefined) await live(names[0] ?? '', Number(values.life))
else {
  await run(start + 1000) // loads the modules that are loaded on first use
  const before = await collected()
  lives = await run(start + Number(values.seconds) * 1000)
  const after = await collected()
  if (after.descriptors > before.descriptors)
    faults.push(`${after.descriptors} descriptors, ${before.descriptors} before`)
  if (after.heap > before.heap + 20e6) faults.push(`a heap of ${after.heap}, ${before.heap} before`)
}
await threads.terminate()
rmSync(folder, { recursive: true, force: true })
console.log(
  `${lives} lives: ${Object.entries(counts)
    .map(([what, count]) => `${count} × ${what}`)
    .join(', ')}`,
)
for (const fault of faults) console.error(fault)

const many = new URL('../sinks/contract/manyFiles.mjs', import.meta.url).pathname
for (const kind of values.many === '0' || values.life !== undefined
  ? []
  : ['memory', 'spill', 'spilled early', 'path', 'overwrite', 'own']) {
  const args = ['--expose-gc', '--no-warnings', many, kind, values.many]
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) faults.push(kind)
}
if (values.life === undefined && !values['no-table']) {
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', 'test/faults/table.test.ts']
  const { status } = spawnSync(process.execPath, vitest, {
    cwd: new URL('../..', import.meta.url).pathname,
    env: { ...process.env, SOAK: '1' },
    stdio: 'inherit',
  })
  if (status !== 0) faults.push('the table')
}
process.exitCode = faults.length > 0 ? 1 : 0
