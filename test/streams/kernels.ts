import type { Kernel } from '../../src/streams/stage.ts'

/** The output of a kernel for these chunks, copied at once, and its error. */
export function runKernel(kernel: Kernel, chunks: readonly Uint8Array[]): { out: Buffer[]; error: unknown } {
  const out: Buffer[] = []
  const output = { push: (bytes: Uint8Array) => out.push(Buffer.from(bytes)) }
  try {
    for (const chunk of chunks) kernel.push(chunk, output)
    kernel.flush(output)
    return { out, error: undefined }
  } catch (error) {
    return { out, error }
  }
}
