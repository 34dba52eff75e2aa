import { printable } from '../../errors.ts'
import { pcmFormat } from '../../format/pcmFormat.ts'
import { type BackendName, backendNames } from '../../sources/capture/backend.ts'
import type { ListedDevice } from '../../sources/listDevices.ts'
import { defineCommand } from '../command.ts'
import { backendOf, backendOption, deviceOf, deviceOption } from '../deviceOptions.ts'
import { bad, type Finding, good } from '../doctor/finding.ts'
import { backendFinding, linuxFindings, nodeFinding } from '../doctor/system.ts'
import { inputFormat, inputFormatOptions } from '../formatOptions.ts'
import { StatusLine } from '../terminal/statusLine.ts'
import { type Paint, paintFor, toJson } from '../terminal/style.ts'
import { wrapped } from '../terminal/wrap.ts'

export const doctor = defineCommand({
  usage: '[options]',
  about:
    'Checks the requirements of a recording, then records for two seconds. Every line has a finding, or the remedy. The exit code is 1 when something is wrong.',
  operands: [0, 0],
  options: {
    device: deviceOption,
    ...inputFormatOptions,
    backend: backendOption,
    json: { type: 'boolean', about: 'a JSON array on stdout' },
  },
  async run(_operands, values) {
    const format = inputFormat(values) ?? pcmFormat()
    const options = { ...deviceOf(values.device), ...backendOf(values.backend) }
    const paint = paintFor(process.stdout)
    const findings: Finding[] = []
    const print = (found: Finding[]) => {
      findings.push(...found)
      if (!values.json) for (const finding of found) console.log(line(finding, paint))
    }

    print([nodeFinding()])
    if (process.platform === 'linux') print(await linuxFindings())
    const { found, devices } = await lookForDevices(options.backend ? [options.backend] : backendNames)
    print(found)
    if (devices !== undefined && devices.length > 0) {
      const status = new StatusLine()
      status.draw('recording for 2 s: say something')
      const { trialFindings } = await import('../doctor/trial.ts')
      const trial = await trialFindings(format, options)
      status.clear()
      print(trial)
    }
    if (values.json) console.log(toJson(findings))
    return findings.some(({ ok, isNeeded }) => !ok && isNeeded) ? 1 : 0
  },
})

async function lookForDevices(
  backends: readonly BackendName[],
): Promise<{ found: Finding[]; devices: ListedDevice[] | undefined }> {
  const found: Finding[] = []
  let devices: ListedDevice[] | undefined
  for (const backend of backends) {
    const looked = await backendFinding(backend)
    found.push(looked.finding)
    devices ??= looked.devices
  }
  // One way to PortAudio is enough.
  if (devices !== undefined) for (const finding of found) finding.isNeeded = false
  else return { found, devices }
  const names = devices.map(({ id, name, isDefault }) => `${id} ${name}${isDefault ? ' (default)' : ''}`)
  found.push(
    devices.length > 0
      ? good('microphones', names.join(', '))
      : bad('microphones', 'PortAudio finds none: plug one in, or see the lines above'),
  )
  return { found, devices }
}

function line({ name, ok, isNeeded, detail }: Finding, paint: Paint): string {
  const mark = ok ? paint('green', '✓') : isNeeded ? paint('red', '✗') : paint('grey', '–')
  const comment = ok || isNeeded ? '' : 'not needed, as there is another way: '
  return `${mark} ${wrapped(printable(`${name}: ${comment}${detail}`), 2, process.stdout)}`
}
