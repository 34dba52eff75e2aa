import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { pageServer, recordingPage } from '../../serve/index.ts'
import { portAudio } from '../../sources/portAudio.ts'
import { defineCommand, UsageError } from '../command.ts'
import { backendOf, backendOption, deviceOf, deviceOption } from '../deviceOptions.ts'
import { inputFormat, inputFormatOptions } from '../formatOptions.ts'
import { onStop } from '../stopKeys.ts'
import { countOf } from '../values.ts'

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']
/** WAVE on the keys of a telephone */
const PORT = 9283

export const serve = defineCommand({
  usage: '[folder] [options]',
  about: `Opens a page in which recordings are made, seen, heard and marked while they go on: from this machine's microphone, or from a browser's, into WAV files in the folder (default: recordings).

Only this machine reaches it, unless --host says otherwise; then it needs a token, which the page asks for. Browsers record on pages of their own machine and over HTTPS alone, and need the package ws here. Enter or Ctrl-C ends it, and its recordings, gracefully.`,
  operands: [0, 1],
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'N',
      about: `where it listens (default ${PORT}; 0: any that is free)`,
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      about: 'on which address (default 127.0.0.1); others need a token',
    },
    name: { type: 'string', value: 'NAME', about: 'a name under which it is reached, beside its addresses' },
    token: {
      type: 'string',
      value: 'TOKEN',
      about:
        'each request must carry it; at least 16 characters. The variable WAVESPOOL_TOKEN keeps it out of the list of processes',
    },
    device: deviceOption,
    ...inputFormatOptions,
    'no-microphone': { type: 'boolean', about: 'leave the microphone of this machine alone' },
    backend: backendOption,
  },
  async run([folder = 'recordings'], values) {
    const { host = '127.0.0.1', name, token = process.env.WAVESPOOL_TOKEN || undefined } = values
    const port = countOf('port', values.port, 0) ?? PORT
    if (port > 65_535) throw new UsageError(`--port takes a number up to 65535, not ${port}`)
    if (!LOOPBACK.includes(host) && token === undefined) {
      throw new UsageError(`--host ${host} lets other machines in: give a --token`)
    }
    const microphone = { ...deviceOf(values.device), ...backendOf(values.backend) }
    const format = inputFormat(values)
    const page = recordingPage(folder, {
      hosts: [...hostsOf(host), ...(name === undefined ? [] : [name])],
      log: (message) => process.stderr.write(`${message}\n`),
      microphone: values['no-microphone'] ? false : (format) => portAudio(format, microphone),
      ...(format && { format }),
      ...(token && { token }),
    })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const server = pageServer(page).listen(port, host)
    await once(server, 'listening')
    const { port: listening } = server.address() as { port: number }
    const shown = isIPv6(host) ? `[${host}]` : host
    process.stderr.write(`http://${shown}:${listening}/ records into ${folder}: Enter or Ctrl-C ends it\n`)
    await new Promise<void>((resolve) => {
      const letGo = onStop({ isFree: true }, () => {
        letGo()
        resolve()
      })
    })
    server.close()
    await page.close()
    server.closeAllConnections()
    return 0
  },
})

/** How `Host` names a server that listens there: on every address, by any that this machine has. */
function hostsOf(address: string): string[] {
  const isAny = address === '0.0.0.0' || address === '::'
  const addresses = isAny
    ? Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address))
    : [address]
  const names = addresses.map((each) => (isIPv6(each) ? `[${each}]` : each))
  return isAny ? [...names, hostname()] : names
}
