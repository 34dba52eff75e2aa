import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

test("the README's example runs as it stands, but for the microphone and the service", () => {
  const [, example] = /```ts\n(.*?)```/s.exec(readme)!
  const program = `
import { tone as portAudio } from 'wavespool/testing'
const openai = { audio: { transcriptions: { create: async ({ file }) => ({ text: [file.constructor.name, file.name, file.size, file.type].join(' ') }) } } }
${example!.replace(' portAudio,', '')}
console.log(text)
`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(stdout.trim()).toBe('File memo.wav 960044 audio/wav')
})

test('the commands that the README names are there', () => {
  for (const [, script] of readme.matchAll(/npm (?:run )?(demo|test|bench)\b/g)) {
    expect(manifest.scripts).toHaveProperty(script!)
  }
})

test('every file that the README links to is there', () => {
  for (const [, link] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
    expect(() => readFileSync(new URL(`../${link}`, import.meta.url)), link).not.toThrow(/ENOENT/)
  }
})
