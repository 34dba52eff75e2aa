// The time that `import 'wavespool'` and `wavespool --version` add to the start of node: the least of alternating starts.
import { spawnSync } from 'node:child_process'

const STARTS = 15
const inline = (program) => ['--input-type=module', '-e', program]
const programs = {
  bare: inline('0'),
  "import 'wavespool'": inline("import 'wavespool'"),
  'wavespool --version': ['dist/cli/index.js', '--version'],
}
/** Milliseconds that each may add. */
const most = { "import 'wavespool'": 25, 'wavespool --version': 40 }

const least = Object.fromEntries(Object.keys(programs).map((name) => [name, Number.POSITIVE_INFINITY]))
for (let i = 0; i < STARTS; i++) {
  for (const [name, args] of Object.entries(programs)) {
    const start = process.hrtime.bigint()
    spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    least[name] = Math.min(least[name], Number(process.hrtime.bigint() - start) / 1e6)
  }
}
for (const [name, limit] of Object.entries(most)) {
  const added = least[name] - least.bare
  console.log(
    `${name.padEnd(20)} ${least[name].toFixed(1)} ms   bare node ${least.bare.toFixed(1)} ms   adds ${added.toFixed(1)} ms   (at most ${limit})`,
  )
  if (added > limit) process.exitCode = 1
}
