import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'
import { encode } from '../../src/codec/encode.ts'
import { pcmFormat } from '../../src/format/pcmFormat.ts'
import { launchChromium } from '../browser/chromium.ts'
import { hasTool } from '../oracles/tools.ts'
import { chord, fileOf, inPieces } from './signal.ts'

const format = pcmFormat({ sampleRate: 48_000 })
const lengths = [1, 999, 4801, 31_337, 111_111, 222_223, 333_331, 479_999]

test.runIf(hasTool('chromium')).each(['flac', 'mp3', 'opus'] as const)(
  '%s: Chromium decodes it to its length',
  { timeout: 60_000 },
  async (codec) => {
    const http = createServer((_request, response) => response.end('<!doctype html>')).listen(0, '127.0.0.1')
    await once(http, 'listening')
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`)
      const found: number[] = []
      for (const frames of lengths) {
        const bytes = await fileOf(encode(format, { codec }), inPieces(chord(format, frames), [4001]))
        found.push(
          (await page.evaluate(`(async () => {
            const bytes = Uint8Array.from(atob('${bytes.toString('base64')}'), (char) => char.charCodeAt(0))
            const context = new OfflineAudioContext(1, 1, 48000)
            return (await context.decodeAudioData(bytes.buffer)).length
          })()`)) as number,
        )
      }
      expect(found).toEqual(lengths)
    } finally {
      await browser.close()
      http.close()
    }
  },
)
