// What `import 'wavespool'` adds to the start of a program, as the least of alternating starts.
import { spawnSync } from 'node:child_process'

const STARTS = 15
const programs = { bare: '0', wavespool: "import 'wavespool'" }
const least = { bare: Number.POSITIVE_INFINITY, wavespool: Number.POSITIVE_INFINITY }
for (let i = 0; i < STARTS; i++) {
  for (const [name, program] of Object.entries(programs)) {
    const start = process.hrtime.bigint()
    spawnSync(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' })
    least[name] = Math.min(least[name], Number(process.hrtime.bigint() - start) / 1e6)
  }
}
const added = least.wavespool - least.bare
console.log(
  `import 'wavespool'   ${least.wavespool.toFixed(1)} ms   bare node ${least.bare.toFixed(1)} ms   adds ${added.toFixed(1)} ms   (at most 25)`,
)
process.exitCode = added > 25 ? 1 : 0
