import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { printable } from '../../errors.ts'
import type { Patch } from '../../format/diagnoseWav.ts'
import { requireAtRest } from '../atRest.ts'
import { defineCommand, UsageError } from '../command.ts'
import { type Examination, examine } from '../examine.ts'
import { checkOutput, forceOption, writeStages } from '../output.ts'
import { toJson } from '../terminal/style.ts'

export const repair = defineCommand({
  usage: '<in.wav> [out.wav] [options]',
  about:
    'Shows the faults in the header of a WAV file, as a crash, a full disk or a writer into a pipe leaves them, and writes a file without them: <in>-repaired.wav, unless you name another. No sample is changed.',
  operands: [1, 2],
  options: {
    'in-place': {
      type: 'boolean',
      about: 'repair the file itself; refused while another process writes it',
    },
    force: forceOption,
    json: { type: 'boolean', about: 'print the faults as JSON' },
  },
  async run([input, output], { 'in-place': isInPlace = false, force, json }) {
    if (isInPlace && output !== undefined)
      throw new UsageError('--in-place and an output are two outputs: choose one')
    if (output === '-') throw new UsageError('stdout is for the faults: name a file for the output')
    const found = await examine(input!)
    if (found === undefined) throw new UsageError(`${input} is no WAV file: only its header can be repaired`)
    const { faults, rf64 } = found.diagnosis
    let path: string | null = null
    if (faults.length > 0 || (rf64 && !isInPlace)) {
      path = isInPlace ? input! : (output ?? repairedName(input!))
      if (isInPlace) await repairInPlace(found)
      else await repairInto(path, found, force)
    }
    if (rf64) process.stderr.write(`${printable(input!)}: ${tooLong(isInPlace)}\n`)
    if (json) {
      console.log(toJson({ input, output: path, faults }))
    } else {
      for (const { message } of faults) console.log(printable(`${input}: ${message}`))
      console.log(printable(path === null ? `${input}: no fault found` : `${path}: repaired`))
    }
    return 0
  },
})

function repairedName(path: string): string {
  const extension = extname(path)
  return join(dirname(path), `${basename(path, extension)}-repaired${extension}`)
}

async function repairInto(
  path: string,
  { path: input, diagnosis }: Examination,
  force = false,
): Promise<void> {
  const output = await checkOutput(path, { overwrite: force, input })
  if (output.compression) throw new UsageError(`${path}: the output of repair is a WAV file`)
  const { patches, rf64, end, pad } = diagnosis
  async function* bytes() {
    const at = rf64?.at ?? 0
    if (at > 0) yield* createReadStream(input, { end: at - 1 })
    if (rf64) yield rf64.insert
    if (end > at) yield* createReadStream(input, { start: at, end: end - 1 })
    if (pad === 1) yield new Uint8Array(1)
  }
  const repaired = patched(bytes(), rf64?.patches ?? patches)
  await writeStages(output, [Readable.from(repaired)], { isRepeatable: true })
}

/** The same bytes with the patches applied. */
async function* patched(
  bytes: AsyncIterable<Uint8Array>,
  patches: readonly Patch[],
): AsyncGenerator<Uint8Array> {
  let start = 0
  const last = Math.max(0, ...patches.map(({ at, bytes }) => at + bytes.length))
  for await (const chunk of bytes) {
    const isTouched = start < last
    const copy = isTouched ? Uint8Array.from(chunk) : chunk
    for (const patch of isTouched ? patches : []) {
      for (let i = 0; i < patch.bytes.length; i++) {
        const at = patch.at + i - start
        if (at >= 0 && at < copy.length) copy[at] = patch.bytes[i]!
      }
    }
    start += chunk.length
    yield copy
  }
}

function tooLong(isInPlace: boolean): string {
  return isInPlace
    ? 'longer than the sizes of a RIFF header can say, so they stay open; name an output to get an RF64 file, whose sizes have 64 bits'
    : 'longer than the sizes of a RIFF header can say: written as RF64'
}

/** Writes in an order in which a crash leaves the file no worse than it was. */
async function repairInPlace({ path, size, diagnosis }: Examination): Promise<void> {
  const { patches, end, pad } = diagnosis
  const file = await open(path, 'r+')
  try {
    await requireAtRest(file, path, size)
    if (pad === 1) await file.write(new Uint8Array(1), 0, 1, end)
    for (const { at, bytes } of patches) await file.write(bytes, 0, bytes.length, at)
    if (end + pad < size) await file.truncate(end + pad)
    await file.sync()
  } finally {
    await file.close()
  }
}
