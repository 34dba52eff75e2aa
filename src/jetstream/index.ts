export { type EnsureStreamsOptions, ensureStreams, type StreamLimits } from './ensureStreams.ts'
export { type FollowRecordingOptions, followRecording } from './followRecording.ts'
export {
  type PublishRecordingOptions,
  publishRecording,
  type RecordingBegin,
  type RecordingPublisher,
} from './publishRecording.ts'
export { type QueueSegmentsOptions, queueSegments } from './queueSegments.ts'
export type { RecordingFollower, RecordingGap, StrayMessage } from './recordingFollower.ts'
export { type RecordingState, resumeRecording } from './resumeRecording.ts'
export { resumeSegments } from './resumeSegments.ts'
export type { FailedAttempt, QueuedSegment, SegmentWorkers } from './segmentWorkers.ts'
export { readTexts, type SegmentText } from './texts.ts'
export { type WorkSegmentsOptions, workSegments } from './workSegments.ts'
