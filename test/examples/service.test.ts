import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { whyNoNats } from '../jetstream/nats.ts'
import { realTime } from '../realTime.ts'

const run = join(import.meta.dirname, '..', '..', 'examples', 'service', 'run.mjs')

interface Row {
  connections: number
  'recorded (s)': number
  'told as gaps (s)': number
  'of them without a connection (s)': number
  texts: number
  last: string
}

describe.skipIf(whyNoNats)('the service to copy', realTime, () => {
  test('records, cuts and transcribes calls, and goes on when an ingest is killed', async () => {
    const args = [run, '--servers', '1', '--calls', '4', '--seconds', '12', '--json']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(stderr).toBe('')
    const lines = stdout.trimEnd().split('\n')
    expect(lines.slice(0, -1)).toEqual([
      '1 servers, 2 ingests, 2 workers; 4 calls of 12 s',
      'one ingest was killed',
    ])
    const { table, lag }: { table: Row[]; lag: { messages: number } } = JSON.parse(lines.at(-1)!)
    expect(table.map(({ connections }) => connections)).toEqual([2, 1, 2, 1])
    for (const row of table) {
      // Every moment of a call is recorded, or told to be missing.
      expect(row['recorded (s)'] + row['told as gaps (s)']).toBeCloseTo(12, 2)
      expect(row['told as gaps (s)']).toBeGreaterThanOrEqual(row['of them without a connection (s)'])
      // A sentence begins every 2.4 s; the gap may lie in one.
      expect(row.texts).toBeGreaterThanOrEqual(4)
      expect(row.texts).toBeLessThanOrEqual(6)
      expect(row.last).toMatch(/^\d\.\d\d s of speech$/)
    }
    expect(lag.messages).toBeGreaterThan(100)
  })
})
