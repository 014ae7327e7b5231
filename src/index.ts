/** The public API: what a program or a test outside may use. Everything else may change without notice. */

export { answerBlock, type BlockAnswer, type BlockQuestion } from './block-index/block-answer.ts'
export { BlockIndex, type IndexOptions } from './block-index/block-index.ts'
export { checks } from './check/all.ts'
export type { Check, Finding, MakeCheck } from './check/check.ts'
export { type MediaEvent, mediaOrder } from './check/media-order.ts'
export { type ControlOptions, type ControlServer, serveControl } from './control/control-server.ts'
export { openApi } from './control/openapi.ts'
export { routes as controlRoutes } from './control/routes.ts'
export type { Clock } from './core/clock.ts'
export { BlockboxError, type ErrorCode } from './core/errors.ts'
export type { Answer, Ask, CommandAsk, IoAsk } from './engine/ask.ts'
export type { Copier, Copy } from './engine/effects.ts'
export { Engine, type EngineOptions } from './engine/engine.ts'
export { openEngine } from './engine/open-engine.ts'
export { type OpenFolder, openToGoOn, openToRead, openToWrite } from './engine/open-folder.ts'
export { type Heir, type News, type Reign, Succession, type Takeover } from './engine/succession.ts'
export { systemClock } from './engine/system-clock.ts'
export { advice, type Code } from './events/code.ts'
export type { Event } from './events/columns.ts'
export { flag, type Kind } from './events/kind.ts'
export { type Divergence, divergenceText, firstDivergence } from './golden/divergence.ts'
export { type GoldenOptions, type GoldenResult, goldenRun, goldenRuns } from './golden/golden-run.ts'
export { type GoldenUpdate, updateGolden } from './golden/golden-update.ts'
export { readContent } from './images/content.ts'
export { type ExternalImage, type OpenImage, openRawFile } from './images/external.ts'
export { openNbdImage } from './images/nbd-image.ts'
export { openExternal } from './images/open-external.ts'
export { RestoreWitness } from './inspect/restore-witness.ts'
export type { Moment, Witness } from './inspect/witness.ts'
export type { Frame } from './journal/frame.ts'
export type { Bounds, Checkpoint, Journal, Writer } from './journal/journal.ts'
export type { Volume, World } from './layers/layer.ts'
export { ext4 } from './layout/ext4.ts'
export {
  type FenceOptions,
  type Fencing,
  type Layout,
  type Reader,
  raiseDetail,
  SharedMeta,
} from './layout/layout.ts'
export { decodePattern, encodePattern, type Pattern } from './layout/pattern.ts'
export { fencingOf, parseRanges } from './layout/ranges.ts'
export { connectControl, listenControl } from './mover/control-link.ts'
export { exportImages } from './mover/export-images.ts'
export { type ImageStore, imageFolder } from './mover/image-store.ts'
export { Network } from './mover/network.ts'
export { StorageClient } from './mover/storage-client.ts'
export { StorageServer } from './mover/storage-server.ts'
export { type ClientCertificates, readClientCertificates } from './nbd/client/certificates.ts'
export { type ClientOptions, listExports, NbdClient, openClient } from './nbd/client/client.ts'
export type { ClientTls, ServerAddress } from './nbd/client/dial.ts'
export { openExport } from './nbd/client/open-export.ts'
export { type ExportAddress, parseNbdUri } from './nbd/client/uri.ts'
export { type Address, exportUri } from './nbd/server/address.ts'
export { type RecordedVolumes, VolumeCatalog } from './nbd/server/catalog.ts'
export { type Credentials, readCredentials } from './nbd/server/credentials.ts'
export { NbdServer, type ServerOptions } from './nbd/server/server.ts'
export { FarDisk, openFarDisk } from './nbd/tap/far-disk.ts'
export { Tap } from './nbd/tap/tap.ts'
export type { PayloadStore } from './payload/payload.ts'
export { type ExportAsk, exportJournal } from './recording/export.ts'
export { openRecordedJournal, type RecordedJournal } from './recording/recorded-journal.ts'
export { readAnyTrace, recordedTrace } from './recording/recorded-trace.ts'
export { openRecording } from './recording/recording-file.ts'
export { writeRecording } from './recording/recording-writer.ts'
export { redact } from './recording/redact.ts'
export { restoreJournal } from './recording/restore.ts'
export { worldAt } from './replay/at.ts'
export { type Bisected, bisect, type Trial } from './replay/bisect.ts'
export { type CloneVerdict, cloneUnchanged } from './replay/clone-unchanged.ts'
export { contentChanges } from './replay/content-changes.ts'
export {
  type Difference,
  type DiffOptions,
  type DiffVerdict,
  diffRuns,
} from './replay/diff.ts'
export { framesAsParts, journalRun, type NamedRun } from './replay/journal-run.ts'
export { type Observed, observe } from './replay/observe.ts'
export { type Point, parseAddress, parsePoint, seqOf } from './replay/point.ts'
export { type ReplayOptions, type ReplayVerdict, replay } from './replay/replay.ts'
export type { DiffSource, KeptEvent, RunPart } from './replay/run-side.ts'
export { subBlock } from './replay/sub-block.ts'
export { type VerifyOptions, type VerifyVerdict, verify } from './replay/verify.ts'
export {
  type Conversion,
  type ConversionAsk,
  convert,
  type EventBatch,
} from './run/conversion.ts'
export { type ExportTally, exportEvents, exportTally } from './run/export-run.ts'
export { recordTrace } from './run/import-run.ts'
export {
  type CrashCheckOptions,
  type CrashFailure,
  type CrashVerdict,
  checkCrashStates,
} from './sim/crash-check.ts'
export { crashHistory } from './sim/crash-history.ts'
export type { CrashOptions } from './sim/crash-sample.ts'
export { type CrashCount, type CrashState, crashStates, type Survivor } from './sim/crash-states.ts'
export { type Change, Disk, type Rotten, type Tear } from './sim/disk.ts'
export { type Nature, natures, type Rates } from './sim/disk-nature.ts'
export type { DiskOperation } from './sim/disk-operation.ts'
export { type Enumerated, type EnumerateOptions, enumerateCrashes } from './sim/enumerate.ts'
export { FaultyHead } from './sim/faulty-head.ts'
export { type Conditions, type Fault, FaultyLevel, type Operation } from './sim/faulty-level.ts'
export { keepRun } from './sim/keep.ts'
export type { Failure, Faults } from './sim/machine.ts'
export { type OnDisk, type OnDiskOptions, openOnDisk } from './sim/open-on-disk.ts'
export { type ShrinkBounds, type Shrunk, shrink } from './sim/shrink.ts'
export { type Simulated, type SimulateOptions, simulate } from './sim/simulator.ts'
export { type Deed, deeds } from './sim/small-world.ts'
export { type Fua, WatchedVolume, type WatchOptions, watchVolume } from './sim/watched-volume.ts'
export type { TraceEvent, TraceFlag, TraceOp, TraceOptions } from './trace/event.ts'
export type { TraceAccount, TraceHolding } from './trace/holding.ts'
export { Linter, type LintFinding, lintRules } from './trace/lint/linter.ts'
export { traceOutput, traceOutputs } from './trace/output-format.ts'
export { readTrace, type TraceBatch } from './trace/source.ts'
export type { TraceOutput, TraceWriter, WriterOptions } from './trace/writer.ts'
export { stateHashText } from './volume/snapshot.ts'
