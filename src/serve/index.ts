export { pageServer } from './pageServer.ts'
export { type RecordingPage, recordingPage } from './recordingPage.ts'
export type { RecordingLimits, RecordingPageOptions, TranscribedPassage } from './recordingPageOptions.ts'
