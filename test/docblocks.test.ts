import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const entryPoints = ['', '/chain', '/jetstream', '/serve', '/silero', '/telephony', '/testing']

/** The code in front of every example. */
const setting = `import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { JetStreamClient } from '@nats-io/jetstream'
import type { Duplex } from 'node:stream'
${entryPoints.map((path) => `import * as all${path.slice(1)} from 'wavespool${path}'`).join('\n')}
const { ${['chunk', 'convert', 'decode', 'encode', 'idleTimeout', 'limit', 'pcmFormat', 'portAudio'].join(', ')} } = all
const { segment, timeline, wavHeader, wavReader, RollingBuffer, VirtualFile } = all
const { chain } = allchain
const { ensureStreams, followRecording, publishRecording, queueSegments, readTexts, resumeRecording, workSegments } = alljetstream
const { silero } = allsilero
const { assertRamp, ramp, script, silence, speech, tone } = alltesting
declare const js: JetStreamClient
declare const socket: Duplex
declare function transcribe(file: object): Promise<string>
`
/** The variables that an example uses without declaring them. */
const given = {
  format: 'pcmFormat()',
  memo: 'new VirtualFile()',
  call: "followRecording(js, 'call-1')",
}

test('the examples in the docblocks compile', () => {
  const folder = join(root, '.cache', 'docblocks')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  let examples = 0
  for (const name of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue
    const text = readFileSync(join(root, 'src', name), 'utf8')
    for (const [, block] of text.matchAll(/^ \* @example\n(.*?)^ \*(?:\/| @|$)/gms)) {
      const code = block!.replace(/^ \* ?/gm, '').replace(/^```.*$/gm, '')
      const before = Object.entries(given).map(([key, value]) =>
        new RegExp(`const (\\[)?${key}\\b`).test(code) ? '' : `const ${key} = ${value}`,
      )
      const file = `${++examples}-${name.replaceAll(/\W/g, '-')}.ts`
      writeFileSync(join(folder, file), [setting, ...before, code, 'export {}', ''].join('\n'))
    }
  }
  expect(examples).toBeGreaterThanOrEqual(15)
  const compilerOptions = { noUnusedLocals: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }),
  )
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const tsc = join(manifest, '..', JSON.parse(readFileSync(manifest, 'utf8')).bin.tsc)
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
})

test('every option is in a document beside the reference', () => {
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  const code = pages.flatMap(
    (name) => readFileSync(join(root, 'docs', name), 'utf8').match(/`[^`\n]+`/g) ?? [],
  )
  const named = new Set(code.flatMap((each) => each.match(/\w+/g) ?? []))
  const missing: string[] = []
  for (const name of readdirSync(join(root, 'api'))) {
    const report = readFileSync(join(root, 'api', name), 'utf8')
    for (const [, type, body] of report.matchAll(
      /^export interface (\w+(?:Options|Limits))\b.*?\{\n(.*?)^\}/gms,
    )) {
      for (const [, option] of body!.matchAll(/^ {4}(\w+)\??:/gm)) {
        if (!named.has(option!)) missing.push(`${type}.${option}`)
      }
    }
  }
  expect(missing).toEqual([])
})
