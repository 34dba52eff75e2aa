import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { beforeAll, describe, expect, test } from 'vitest'
import { nodePrograms } from '../nodes.ts'
import { blocks, writeForCompiler } from './cookbook.mjs'
import { whyNoConsumers } from './install.ts'

const why = await whyNoConsumers()
if (why) console.warn(why)
const programs = why ? [] : nodePrograms()

async function run(
  program: string,
  args: string[],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(program, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await closed, out, err }
}

describe.skipIf(why)('the cookbook', () => {
  test('is type-checked as it stands, against the real packages', { timeout: 300_000 }, async () => {
    const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
    const tsc = join(dirname(manifest), createRequire(import.meta.url)(manifest).bin.tsc)
    writeForCompiler()
    const { out } = await run(process.execPath, [tsc, '-p', import.meta.dirname])
    expect(out).toBe('')
  })

  describe.each(programs)('on $name', ({ path }) => {
    const reports: { block: string; what: string; error?: string }[] = []

    beforeAll(async () => {
      const { code, out, err } = await run(path, ['run.mjs'])
      for (const line of out.split('\n')) if (line.startsWith('{')) reports.push(JSON.parse(line))
      expect(code, err).toBe(0)
    }, 300_000)

    test.each([...blocks.keys()])('%s', (block) => {
      const found = reports.filter((report) => report.block === block)
      expect(found.map(({ what }) => what)).toContain('whole')
      expect(found.flatMap(({ what, error }) => (error ? `${what}: ${error}` : []))).toEqual([])
    })
  })
})
