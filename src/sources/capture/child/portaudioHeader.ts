import type { Encoding } from '../../../format/encoding.ts'

// The declarations of PortAudio's portaudio.h that are used, in koffi's syntax.

/** PaSampleFormat */
export const sampleFormats: Partial<Record<Encoding, number>> = {
  f32le: 0x1,
  s32le: 0x2,
  s24le: 0x4,
  s16le: 0x8,
}
/** PaErrorCode */
export const PA_INPUT_OVERFLOWED = -9981
/** PaStreamFlags: samples as they are, without clipping and dither */
export const PA_CLIP_OFF = 0x1

export const functions = {
  Pa_Initialize: 'int Pa_Initialize()',
  Pa_GetErrorText: 'const char *Pa_GetErrorText(int errorCode)',
  Pa_GetDeviceCount: 'int Pa_GetDeviceCount()',
  Pa_GetDefaultInputDevice: 'int Pa_GetDefaultInputDevice()',
  Pa_GetDeviceInfo: 'const PaDeviceInfo *Pa_GetDeviceInfo(int device)',
  Pa_GetHostApiInfo: 'const PaHostApiInfo *Pa_GetHostApiInfo(int hostApi)',
  Pa_IsFormatSupported:
    'int Pa_IsFormatSupported(const PaStreamParameters *input, void *output, double sampleRate)',
  Pa_OpenStream:
    'int Pa_OpenStream(_Out_ void **stream, const PaStreamParameters *input, void *output, double sampleRate, unsigned long framesPerBuffer, unsigned long flags, void *callback, void *userData)',
  Pa_StartStream: 'int Pa_StartStream(void *stream)',
  Pa_AbortStream: 'int Pa_AbortStream(void *stream)',
  Pa_CloseStream: 'int Pa_CloseStream(void *stream)',
  Pa_GetStreamInfo: 'const PaStreamInfo *Pa_GetStreamInfo(void *stream)',
  Pa_ReadStream: 'int Pa_ReadStream(void *stream, void *buffer, unsigned long frames)',
  Pa_GetStreamReadAvailable: 'long Pa_GetStreamReadAvailable(void *stream)',
} as const

/** field by field */
export const structs: Record<string, Record<string, string>> = {
  PaDeviceInfo: {
    structVersion: 'int',
    name: 'const char *',
    hostApi: 'int',
    maxInputChannels: 'int',
    maxOutputChannels: 'int',
    defaultLowInputLatency: 'double',
    defaultLowOutputLatency: 'double',
    defaultHighInputLatency: 'double',
    defaultHighOutputLatency: 'double',
    defaultSampleRate: 'double',
  },
  PaHostApiInfo: {
    structVersion: 'int',
    type: 'int',
    name: 'const char *',
    deviceCount: 'int',
    defaultInputDevice: 'int',
    defaultOutputDevice: 'int',
  },
  PaStreamParameters: {
    device: 'int',
    channelCount: 'int',
    sampleFormat: 'unsigned long',
    suggestedLatency: 'double',
    hostApiSpecificStreamInfo: 'void *',
  },
  PaStreamInfo: {
    structVersion: 'int',
    inputLatency: 'double',
    outputLatency: 'double',
    sampleRate: 'double',
  },
}
