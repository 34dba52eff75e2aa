import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { pcmFormat, segment } from '../../../src/index.ts'
import { speech } from '../../../src/testing/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('segments into named files, faster than real time, pile up no listeners', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const format = pcmFormat({ sampleRate: 48_000, channels: 2 })
  const spoken = speech(format, {
    duration: { seconds: 40 },
    sentence: { seconds: 6 },
    pause: { seconds: 1.5 },
  })
  const cut = segment(format, {
    silence: { seconds: 1 },
    storage: (name: string) => ({ path: join(folder, name) }),
  })
  let count = 0
  await pipeline(spoken, cut, async (segments) => {
    for await (const { file } of segments) {
      count += 1
      await file.dispose()
    }
  })
  await turn()
  process.off('warning', note)
  expect(warnings).toEqual([])
  expect(count).toBeGreaterThan(3)
  expect(readdirSync(folder)).toHaveLength(count)
})
