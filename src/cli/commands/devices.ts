import { printable } from '../../errors.ts'
import { type ListedDevice, listDevices } from '../../sources/listDevices.ts'
import { defineCommand } from '../command.ts'
import { backendOf, backendOption } from '../deviceOptions.ts'
import { toJson, widthOf } from '../terminal/style.ts'

export const devices = defineCommand({
  usage: '[options]',
  about: 'Lists the microphones: id, name, channels, preferred rate. The default one has a star.',
  operands: [0, 0],
  options: {
    rates: { type: 'boolean', about: 'try at which of the usual rates each device really opens' },
    backend: backendOption,
    json: { type: 'boolean', about: 'a JSON array on stdout' },
  },
  async run(_operands, { rates = false, backend, json }) {
    const found = await listDevices({ rates, ...backendOf(backend) })
    if (json) {
      console.log(toJson(found))
    } else if (found.length === 0) {
      process.stderr.write('no microphone was found; wavespool doctor looks for the reason\n')
    } else {
      for (const device of found) console.log(line(device, widthOf(process.stdout)))
    }
    return 0
  },
})

function line(device: ListedDevice, width: number): string {
  const { id, name, hostApi, inputChannels, defaultSampleRate, isDefault, sampleRates } = device
  const at = sampleRates ? `${sampleRates.join(' ')} Hz` : `${defaultSampleRate} Hz`
  const text = `${isDefault ? '*' : ' '}${String(id).padStart(3)}  ${printable(name)}`
  const facts = `${inputChannels} ch, ${at}, ${hostApi}`
  return text.length + facts.length + 2 <= width ? `${text}  ${facts}` : `${text}\n      ${facts}`
}
