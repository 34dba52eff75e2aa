import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { printable } from '../../errors.ts'
import { requireAtRest } from '../atRest.ts'
import { defineCommand, UsageError } from '../command.ts'
import { type Examination, examine } from '../examine.ts'
import { checkOutput, forceOption, writeStages } from '../output.ts'
import { toJson } from '../terminal/json.ts'

export const repair = defineCommand({
  usage: '<in.wav> [out.wav] [options]',
  about:
    'Says what is wrong with the header of a WAV file, as a crash, a full disk or a writer into a pipe leaves it, and writes a file in which it is right: <in>-repaired.wav, unless another is named. No sample is changed.',
  operands: [1, 2],
  options: {
    'in-place': {
      type: 'boolean',
      about: 'put the file itself right; refused while another process writes it',
    },
    force: forceOption,
    json: { type: 'boolean', about: 'tell on stdout what was wrong' },
  },
  async run([input, output], { 'in-place': isInPlace = false, force, json }) {
    if (isInPlace && output !== undefined)
      throw new UsageError('--in-place and an output are two outputs: choose one')
    if (output === '-') throw new UsageError('it tells on stdout what was wrong: name a file for the output')
    const found = await examine(input!)
    const { faults } = found.diagnosis
    let path: string | null = null
    if (faults.length > 0) {
      path = isInPlace ? input! : (output ?? repairedName(input!))
      if (isInPlace) await repairInPlace(found)
      else await repairInto(path, found, force)
    }
    if (json) {
      console.log(toJson({ input, output: path, faults }))
    } else {
      for (const { message } of faults) console.log(printable(`${input}: ${message}`))
      console.log(printable(path === null ? `${input}: nothing is wrong` : `${path}: put right`))
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
  const output = await checkOutput(path, force, input)
  const { header, end } = diagnosis
  async function* bytes() {
    yield header
    if (end > header.length) yield* createReadStream(input, { start: header.length, end: end - 1 })
  }
  await writeStages(output, [Readable.from(bytes())], { isRepeatable: true })
}

/** In an order in which a crash leaves the file at most as wrong as it was. */
async function repairInPlace({ path, size, diagnosis }: Examination): Promise<void> {
  const { header, end, pad } = diagnosis
  const file = await open(path, 'r+')
  try {
    await requireAtRest(file, path, size)
    if (pad === 1) await file.write(new Uint8Array(1), 0, 1, end)
    await file.write(header, 0, header.length, 0)
    if (end + pad < size) await file.truncate(end + pad)
    await file.sync()
  } finally {
    await file.close()
  }
}
