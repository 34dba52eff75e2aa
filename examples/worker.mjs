// Records for three seconds while a worker thread reads along: live as it grows, by blocking reads as native recognisers
// want them, without copies and without a message for each chunk.
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { limit, pcmFormat, VirtualFile, wavHeader } from 'wavespool'
import { pickSource } from './source.mjs'

if (isMainThread) {
  const format = pcmFormat()
  const memo = new VirtualFile({ name: 'memo.wav' })
  const worker = new Worker(new URL(import.meta.url), { workerData: memo.share() })
  worker.on('message', (line) => console.log(line))
  const exited = once(worker, 'exit') // which may come before the pipeline is done
  await pipeline(await pickSource(format), limit(format, { seconds: 3 }), wavHeader(format), memo)
  await exited
  await memo.dispose()
} else {
  const memo = VirtualFile.attach(workerData)
  const half = new Int16Array(8000) // half a second of samples, behind 44 bytes of header
  for (let at = 44; memo.waitSync(at + half.byteLength) === 'ready'; at += half.byteLength) {
    memo.readSync(half, at)
    const loudest = half.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0)
    parentPort?.postMessage(
      `${(at - 44) / 32_000} s: peak ${(20 * Math.log10(loudest / 32_768)).toFixed(1)} dBFS`,
    )
  }
  parentPort?.postMessage(`${memo.name}: ${memo.duration} s`)
}
