import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pcmFormat } from '../../src/index.ts'
import type { RecordingPageOptions } from '../../src/serve/index.ts'
import { assertRamp, ramp, speech } from '../../src/testing/index.ts'
import { launchChromium } from '../browser/chromium.ts'
import { realTime } from '../realTime.ts'
import { Network } from './network.ts'
import { Served } from './served.ts'
import { heard, hide, knownAtClick, knownFrames, type SampleRange, samplesHeard, tapSound } from './tap.ts'

/** Of a recording: the longer, the more pieces meet in it. */
const SECONDS = Number(process.env.WAVESPOOL_SERVE_SECONDS ?? 14)
const format = pcmFormat()
const rate = format.sampleRate
/** after which the ramp begins anew */
const PERIOD = 65_521

const soon = { timeout: 20_000 }
const axe = join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js')
const screenshots = join(import.meta.dirname, '../../.cache/serve')
const microphone = join(tmpdir(), `wavespool-noise-${process.pid}.wav`)
let browser: Browser

/** Noise of 20 s at the rate of Chromium's own device, so that each stretch is like no other. */
async function writeNoise(path: string): Promise<void> {
  const frames = 44_100 * 20
  const bytes = Buffer.alloc(44 + frames * 2)
  bytes.write('RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0', 'latin1')
  bytes.writeUInt32LE(36 + frames * 2, 4)
  bytes.writeUInt32LE(44_100, 24)
  bytes.writeUInt32LE(88_200, 28)
  bytes.write('\x02\0\x10\0data', 32, 'latin1')
  bytes.writeUInt32LE(frames * 2, 40)
  let state = 1
  for (let i = 0; i < frames; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes.writeInt16LE(((state >>> 16) % 20_000) - 10_000, 44 + i * 2)
  }
  await writeFile(path, bytes)
}

beforeAll(async () => {
  await mkdir(screenshots, { recursive: true })
  await writeNoise(microphone)
  browser = await launchChromium({ microphone })
})
afterAll(() => browser?.close())

/** Opens the page; errors and warnings of the browser fail the test in `quiet()`. */
async function open(url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => dialog.accept())
  await tapSound(page)
  await page.goto(url)
  const quiet = () => {
    expect(complaints).toEqual([])
  }
  return { page, context, quiet }
}

const withRamp: RecordingPageOptions = {
  passages: false,
  microphone: (format) => ramp(format, { pace: 'realtime' }),
}

async function record(
  page: Page,
  { from, name }: { from: 'browser' | 'computer'; name: string },
): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Microphone').selectOption(from)
  await page.getByRole('button', { name: 'Record' }).click()
  await page.getByRole('heading', { name: `${name}.wav` }).waitFor()
  await expect.poll(() => knownFrames(page), soon).toBeGreaterThan(0)
}

const seconds = (n: number) => new Promise((resolve) => setTimeout(resolve, n * 1000))
/** how far a frame lies behind another one, where they are known but for whole periods */
const distance = (a: number, b: number) => {
  const apart = (((a - b) % PERIOD) + PERIOD) % PERIOD
  return Math.min(apart, PERIOD - apart)
}
/** The number that a sample of a ramp stands for. */
const countOf = (sample: number) => sample + 0x8000
/** Whether a sample is one of a ramp: silence goes nowhere. */
const isRamp = (samples: Int16Array, i: number) =>
  samples[i] !== 0 && countOf(samples[i + 1]!) === (countOf(samples[i]!) + 1) % PERIOD

describe('playing while it is recorded', realTime, () => {
  test('plays from the start, from a click, and live, without a gap', async () => {
    await using served = await Served.start(withRamp)
    const { page, context, quiet } = await open(served.url, { viewport: { width: 1000, height: 800 } })
    await record(page, { from: 'computer', name: 'ramp' })
    const began = Date.now()
    const waveform = page.getByRole('slider', { name: 'Position' })
    const { width } = (await waveform.boundingBox())!
    await seconds(3)

    const report: string[] = []
    /** Checks that one playback is a part of the recording, each sample once; returns the end of that part. */
    const hear = async (what: string, expected?: number) => {
      const samples = await samplesHeard(page)
      const first = samples.findIndex((_, i) => isRamp(samples, i))
      const last = samples.findLastIndex((_, i) => isRamp(samples, i)) + 1
      expect(last - first).toBeGreaterThan(rate / 2)
      let seams = 0
      for (let i = first; i < last; i++)
        if (countOf(samples[i + 1]!) !== (countOf(samples[i]!) + 1) % PERIOD) seams++
      expect({ what, seams }).toEqual({ what, seams: 0 })
      if (expected !== undefined) {
        const off = distance(countOf(samples[first]!), expected) / rate
        report.push(`${what}: ${Math.round(off * 1000)} ms from the place, ${last - first} frames heard`)
        expect(off).toBeLessThan(0.05)
      }
      return countOf(samples[last]!)
    }
    const pause = async () => {
      await page.getByRole('button', { name: 'Pause' }).click()
      await seconds(0.1)
    }
    const play = () => page.getByRole('button', { name: 'Play' }).click()

    // The tap is made at the first sound, of which it misses a part.
    await play()
    await seconds(0.5)
    await pause()
    await heard(page)
    await waveform.press('Home')
    await play()
    await seconds(2)
    await pause()
    await hear('from the start', 0)

    const places = [0.03, 0.11, 0.02, 0.14, 0.07]
    for (const place of places) {
      await waveform.click({ position: { x: Math.round(place * width), y: 60 } })
      const known = await knownAtClick(page)
      await play()
      await seconds(Math.max(1, SECONDS / 14))
      await pause()
      const frame = Math.min(known, (Math.round(place * width) / width) * Math.max(known, 20 * rate))
      await hear(`at ${(frame / rate).toFixed(2)} s`, frame)
    }

    // while it plays
    await play()
    await seconds(1)
    await heard(page)
    await waveform.click({ position: { x: Math.round(0.05 * width), y: 60 } })
    const known = await knownAtClick(page)
    await seconds(1)
    const samples = await samplesHeard(page)
    const target = (Math.round(0.05 * width) / width) * Math.max(known, 20 * rate)
    const jump = samples.findIndex(
      (sample, i) => isRamp(samples, i) && distance(countOf(sample), target) < rate / 20,
    )
    expect(jump).toBeGreaterThanOrEqual(0)

    await page.getByRole('button', { name: 'Live' }).click()
    await seconds(0.4)
    await heard(page)
    await seconds(Math.max(2.5, SECONDS - 4 - (Date.now() - began) / 1000))
    await hide(page, true)
    await seconds(2.5)
    await hide(page, false)
    const newest = await knownFrames(page)
    const live = await hear('live')
    const behind = distance(newest, live) / rate
    report.push(`live: ${behind.toFixed(2)} s behind what is known`)
    expect(behind).toBeLessThan(1.5)

    await page.getByRole('button', { name: 'Stop' }).click()
    // and to the end, where it stops by itself
    await page.getByRole('button', { name: 'Play' }).waitFor()
    const frames = await knownFrames(page)
    expect(await hear('to the end')).toBe((frames - 1) % PERIOD)
    console.log(report.join('\n'))
    assertRamp((await readFile(served.path('ramp.wav'))).subarray(44), format, {})
    quiet()
    await context.close()
  })

  test('works with the keyboard alone, and marks are kept', async () => {
    await using served = await Served.start(withRamp)
    const { page, context, quiet } = await open(served.url)
    await page.getByRole('button', { name: 'Record' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.type('keys')
    await page.keyboard.press('Tab')
    await page.keyboard.type('the server')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'keys.wav' }).waitFor()
    await expect.poll(() => knownFrames(page), soon).toBeGreaterThan(3 * rate)
    await page.getByRole('slider').focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    await page.keyboard.press('Enter')
    await page.keyboard.press('End')
    await expect
      .poll(async () => Number(await page.getByRole('slider').getAttribute('aria-valuenow')), soon)
      .toBeGreaterThan(2)
    expect(await page.getByRole('slider').getAttribute('aria-valuetext')).toMatch(/^0:0\d of 0:0\d$/)
    await page.keyboard.press('PageDown')
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /Mark$/ }).nth(1).waitFor()
    await page.getByRole('button', { name: 'Stop' }).press('Enter')
    await page.getByRole('button', { name: 'Record' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: /\d Mark$/ }).waitFor()
    quiet()
    await context.close()
  })
})

describe('the microphone of a browser', realTime, () => {
  test('arrives completely in the background, over a network that stalls, and over one that breaks', async () => {
    await using served = await Served.start({ passages: false })
    await using network = await Network.to(served.port)
    const { page, context } = await open(network.url)
    await record(page, { from: 'browser', name: 'noise' })
    await seconds(SECONDS / 7)
    await hide(page, true)
    await seconds(SECONDS / 7)
    await hide(page, false)
    await network.stall(5000)
    await seconds(SECONDS / 7)
    network.cut()
    await seconds(SECONDS / 7)
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Recorded.').waitFor()
    const bytes = await readFile(served.path('noise.wav'))
    const recorded = new Int16Array(
      bytes.buffer.slice(bytes.byteOffset + 44, bytes.byteOffset + bytes.length),
    )
    const [{ samples: sent }, ...more] = (await heard(page)) as [SampleRange, ...SampleRange[]]
    expect(more).toEqual([])
    expect(recorded.length).toBeGreaterThan(48_000 * 8)
    // The two began within some blocks of each other.
    const probe = recorded.length >> 1
    const offset = alignment(sent, recorded, probe)
    const start = Math.max(0, -offset)
    const end = Math.min(recorded.length, sent.length - offset)
    let wrong = 0
    for (let i = start; i < end; i++) if (recorded[i] !== sent[i + offset]) wrong++
    console.log(`${end - start} of ${recorded.length} samples compared, ${wrong} differ`)
    expect(wrong).toBe(0)
    // the script that compares was loaded after the start of the recording; the end is complete
    expect(start).toBeLessThan(48_000)
    expect(recorded.length - end).toBeLessThan(48_000 / 10)
    await context.close()
  })

  test('is kept when the page is loaded anew', async () => {
    await using served = await Served.start({ passages: false })
    const { page, context, quiet } = await open(served.url)
    await record(page, { from: 'browser', name: 'kept' })
    await expect.poll(() => knownFrames(page), soon).toBeGreaterThan(2 * 48_000)
    const { length: sent } = await samplesHeard(page)
    await page.reload()
    await expect.poll(() => served.lines.join(), soon).toContain('kept.wav: ')
    const { size } = await stat(served.path('kept.wav'))
    expect((size - 44) / 2).toBeGreaterThan(sent - 48_000 / 10)
    await page.getByRole('heading', { name: 'kept.wav' }).waitFor()
    await page.getByRole('button', { name: 'Record' }).waitFor()
    quiet()
    await context.close()
  })

  test('that is not allowed is reported, and nothing is recorded', async () => {
    await using served = await Served.start()
    const { page, context } = await open(served.url)
    await page.evaluate(
      `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))`,
    )
    await page.getByRole('button', { name: 'Record' }).click()
    await page.getByText('The microphone was not allowed.').waitFor()
    expect(await (await served.get('recordings')).json()).toMatchObject({ recordings: [] })
    await context.close()
  })
})

/** The samples by which a part of `recorded` lies later in `sent`. */
function alignment(sent: Int16Array, recorded: Int16Array, probe: number): number {
  const isAt = (at: number) => {
    for (let i = 0; i < 64; i++) if (sent[at + i] !== recorded[probe + i]) return false
    return true
  }
  for (let apart = 0; apart < 48_000; apart++) {
    if (isAt(probe + apart)) return apart
    if (isAt(probe - apart)) return -apart
  }
  return Number.NaN
}

test('ten people see and hear one recording', realTime, async () => {
  await using served = await Served.start(withRamp)
  const name = await served.begin({ name: 'shared' })
  const pages = await Promise.all(Array.from({ length: 10 }, () => open(`${served.url}#${name}`)))
  await Promise.all(
    pages.map(async ({ page }) => {
      await page.getByRole('button', { name: 'Live' }).click()
      await expect.poll(() => knownFrames(page), soon).toBeGreaterThan(4 * rate)
    }),
  )
  await pages[0]!.page.getByRole('button', { name: 'Mark', exact: true }).click()
  for (const { page, quiet } of pages) {
    await page.getByRole('button', { name: /\d Mark$/ }).waitFor()
    quiet()
  }
  await served.stop(name)
  for (const { page } of pages) await page.getByRole('button', { name: 'Record' }).waitFor()
  assertRamp((await readFile(served.path(name))).subarray(44), format, {})
  await Promise.all(pages.map(({ context }) => context.close()))
})

test('the token unlocks it, and is not kept in the page', async () => {
  const token = 'a-token-that-nobody-guesses'
  await using served = await Served.start({ ...withRamp, token })
  const { page, context } = await open(served.url)
  await page.getByLabel('Token').fill('wrong')
  await page.getByRole('button', { name: 'Unlock' }).click()
  await page.getByText('The token is wrong.').waitFor()
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Unlock' }).click()
  await record(page, { from: 'computer', name: 'secret' })
  await page.reload()
  await page.getByRole('button', { name: 'Stop' }).click()
  await page.getByRole('button', { name: 'Record' }).waitFor()
  expect(await page.content()).not.toContain(token)
  const kept = await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })')
  expect(kept).toBe('{}')
  await context.close()
})

describe('the look of the page', () => {
  const texts = [
    'Good morning, and welcome to the reading circle.',
    'Shall we begin?',
    'Then let us hear the minutes.',
  ]
  test('axe finds no fault at three widths, in light and dark colours', realTime, async () => {
    let said = 0
    await using served = await Served.start({
      microphone: (format) => speech(format, { pace: 'realtime' }),
      transcribe: async () => texts[said++ % texts.length],
    })
    const { page, context, quiet } = await open(served.url)
    await page.evaluate(await readFile(axe, 'utf8'))
    const check = async (state: string) => {
      for (const width of [320, 768, 1440]) {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          const violations = await page.evaluate(
            'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))',
          )
          expect({ width, colorScheme, violations }).toEqual({ width, colorScheme, violations: [] })
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
          const path = join(screenshots, `${width}-${colorScheme}-${state}.png`)
          await page.screenshot({ path, fullPage: true })
        }
      }
    }
    await page.getByText('Nothing is recorded yet').waitFor()
    await check('empty')
    await record(page, { from: 'computer', name: 'Reading circle' })
    await page.getByRole('button', { name: /welcome/ }).waitFor()
    await page.getByRole('button', { name: 'Mark', exact: true }).click()
    await page.getByRole('button', { name: 'Live' }).click()
    await page.getByRole('button', { name: /begin/ }).waitFor()
    await check('recording')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'Record' }).waitFor()
    quiet()
    await context.close()
  })
})
