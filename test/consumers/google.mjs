import { createRequire } from 'node:module'
import { credentials, loadPackageDefinition, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import { said } from './line.mjs'

process.env.METADATA_SERVER_DETECTION = 'none' // the client would ask the network who it is

const protos = createRequire(import.meta.url)('@google-cloud/speech/build/protos/protos.json')
const { google } = /** @type {any} */ (loadPackageDefinition(fromJSON(protos, { enums: String })))
const results = [{ alternatives: [{ transcript: said }], isFinal: true }]

/** @param {{ encoding: string, sampleRateHertz: number }} config */
const isRight = ({ encoding, sampleRateHertz }) => encoding === 'LINEAR16' && sampleRateHertz === 16_000

/** The service, as far as these tests ask it. @param {Record<string, (call: any, callback: any) => void>} methods */
async function speechService(methods) {
  const server = new Server()
  server.addService(google.cloud.speech.v1.Speech.service, methods)
  const port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    ),
  )
  const options = {
    apiEndpoint: '127.0.0.1',
    port,
    sslCreds: credentials.createInsecure(),
    projectId: 'none',
  }
  return { options, close: () => server.forceShutdown() }
}

/** @type {import('./line.mjs').Line[]} */
export const lines = [
  {
    block: 'google',
    replace: [['new SpeechClient()', 'new SpeechClient(service)']],
    takes: 'wav',
    moments: ['whole', 'snapshot'],
    faults: ['header', 'sample'],
    retries: true,
    async open(failures) {
      /** @type {import('./line.mjs').Arrival[]} */
      const arrivals = []
      const service = await speechService({
        Recognize({ request: { config, audio } }, answer) {
          if (!isRight(config)) return answer({ code: status.INVALID_ARGUMENT })
          arrivals.push({ bytes: audio.content })
          if (arrivals.length <= failures) return answer({ code: status.UNAVAILABLE })
          answer(null, { results })
        },
      })
      return { ...service, arrived: () => arrivals, says: said }
    },
  },
  {
    block: 'google-live',
    replace: [['new SpeechClient()', 'new SpeechClient(service)']],
    takes: 'pcm',
    moments: ['whole', 'follow'],
    faults: ['doubled', 'sample'],
    async open() {
      /** @type {Buffer[]} */
      const pieces = []
      const service = await speechService({
        StreamingRecognize(call) {
          call.on('data', ({ streamingConfig, audioContent }) => {
            if (streamingConfig && !isRight(streamingConfig.config)) call.destroy(new Error('a wrong format'))
            // the service refuses messages of more than 25,600 bytes
            if (audioContent && audioContent.length <= 25_600) pieces.push(audioContent)
          })
          call.on('end', () => {
            call.write({ results })
            call.end()
          })
        },
      })
      return { ...service, arrived: () => [{ bytes: Buffer.concat(pieces) }], says: said }
    },
  },
]
