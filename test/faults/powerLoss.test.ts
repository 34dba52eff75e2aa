import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readWavHeader } from '../../src/index.ts'
import { type SystemCall, traceSystemCalls, whyNoTrace } from './systemCalls.ts'

const folder = mkdtempSync(join(tmpdir(), 'wavespool-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Records for two seconds, in pieces that do not end where the header is put right. */
const program = `
  import { once } from 'node:events'
  import { setTimeout as sleep } from 'node:timers/promises'
  import { pcmFormat, VirtualFile, wavHeader } from 'wavespool'
  const [path, fsync, overwrite, ending] = process.argv.slice(1)
  const file = new VirtualFile({ storage: { path, fsync: fsync === 'true', overwrite: overwrite === 'true' } })
  const header = wavHeader(pcmFormat())
  header.pipe(file)
  for (let i = 1; i <= 20; i++) {
    header.write(Buffer.alloc(10_000 + i * 2, i))
    await sleep(100)
  }
  if (ending === 'destroy') { file.on('error', () => {}); header.unpipe(); file.destroy(new Error('given up')) }
  else header.end()
  await once(file, 'close').catch(() => {})
`

function record(name: string, { fsync = true, overwrite = false, ending = 'end' } = {}) {
  const path = join(folder, name)
  if (overwrite) writeFileSync(path, 'what was there')
  const args = ['--input-type=module', '-e', program, path, String(fsync), String(overwrite), ending]
  const { calls, status, stderr } = traceSystemCalls([process.execPath, ...args])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return { path, calls }
}

const isSync = ({ name, result }: SystemCall) => /^f(data)?sync$/.test(name) && result === 0

/**
 * The end of the bytes that the disk has confirmed at a place in the order: those that were written before the begin of a
 * sync that had ended by then.
 */
function durableEnd(writes: SystemCall[], syncs: SystemCall[], before: number): number {
  const last = Math.max(-1, ...syncs.filter(({ end }) => end < before).map(({ begin }) => begin))
  return Math.max(0, ...writes.filter(({ end }) => end < last).map((call) => call.position + call.result))
}

describe.skipIf(whyNoTrace)(`fsync: true ${whyNoTrace ?? ''}`, () => {
  test.each([
    ['a new file', { overwrite: false, ending: 'end' }],
    ['a file that is replaced', { overwrite: true, ending: 'end' }],
    ['a recording that is given up', { overwrite: false, ending: 'destroy' }],
  ])('no header counts samples that the disk has not confirmed: %s', (label, options) => {
    const { path, calls } = record(`${label.replaceAll(' ', '-')}.wav`, options)
    const size = readFileSync(path).length
    const opened = calls.filter(
      ({ name, result, path }) => name === 'openat' && result >= 0 && /\.(wav|part)$/.test(path),
    )
    expect(opened.length).toBeGreaterThan(0)
    const names = new Set([path, ...opened.map(({ path }) => path)])
    const ofFile = calls.filter(({ path }) => names.has(path))
    const writes = ofFile.filter(({ name, result }) => name === 'pwrite64' && result > 0)
    const syncs = ofFile.filter(isSync)
    const headers = writes.filter(({ position }) => position === 0)
    expect(headers.length).toBeGreaterThanOrEqual(3)
    expect(writes.length).toBeGreaterThanOrEqual(20)

    for (const header of headers) {
      const { dataStart, dataBytes } = readWavHeader(header.bytes)!
      const counted = dataStart + dataBytes
      // the first header counts the samples that are written together with it, within one page
      const sure = Math.max(header.result, durableEnd(writes, syncs, header.begin))
      expect({ counted, isSure: counted <= sure }).toEqual({ counted, isSure: true })
      if (header.result > 44) expect(header.result).toBeLessThanOrEqual(4096)
    }
    // the last header counts everything, and is confirmed before the file is closed
    const last = headers.at(-1)!
    const { dataStart, dataBytes } = readWavHeader(last.bytes)!
    expect(dataStart + dataBytes).toBe(size)
    const closed = ofFile.findLast(({ name }) => name === 'close')!
    expect(syncs.some(({ begin, end }) => begin > last.end && end < closed.begin)).toBe(true)
    // and the name itself, once it is the file's
    const named = calls.findLast(({ name, to }) => name.startsWith('rename') && to === path) ?? opened[0]!
    const directories = calls.filter((call) => isSync(call) && call.path === dirname(path))
    expect(directories.some(({ begin, end }) => begin > named.end && end < closed.begin)).toBe(true)
  })

  test('without it no write waits for the disk', () => {
    const { calls } = record('plain.wav', { fsync: false })
    expect(calls.filter(({ path }) => path.endsWith('plain.wav')).length).toBeGreaterThan(20)
    expect(calls.filter(isSync)).toEqual([])
  })
})
