/** `blockbox image VOL[@POINT] -o FILE`: a volume's content as it was, as a sparse file, its digest, or both. */

import { setImmediate } from 'node:timers/promises'
import type { Command } from 'commander'
import { streamedPieces } from '../../src/control/image-stream.ts'
import { image } from '../../src/control/stream-routes.ts'
import { digestStream } from '../../src/core/digest.ts'
import { BlockboxError } from '../../src/core/errors.ts'
import { imagePieces, mappedBytes, type Piece, pieceBytes } from '../../src/images/export.ts'
import { writeImageFile } from '../../src/images/image-file.ts'
import { unknownBytes } from '../../src/layers/tap-state.ts'
import { type Point, parsePoint } from '../../src/replay/point.ts'
import { volumeAt } from '../../src/replay/volume-at.ts'
import { errorOf, type RemoteControl } from '../control-client.ts'
import { interrupt } from '../interrupt.ts'
import { type JournalOption, journalOption } from '../journal-option.ts'
import { escaped, print } from '../output.ts'
import { remarkOutside } from '../outside-time.ts'
import { withSourceOrServer } from '../recording-use.ts'
import { remark, showProgress } from '../remark.ts'
import { formatSize } from '../size.ts'

interface ImageOptions extends JournalOption {
  readonly volume?: string
  readonly at?: string
  readonly output?: string
  readonly force?: boolean
  readonly digest?: boolean
  readonly json?: boolean
}

interface Found {
  readonly seq: number
  readonly size: number
  readonly block: number
  readonly mapped: number
  /** Bytes of a tapped volume that nobody recorded. */
  readonly unknown: number
  readonly pieces: Iterable<Piece> | AsyncIterable<Piece>
}

interface Written {
  readonly volume: string
  readonly seq: number
  readonly size: number
  readonly block: number
  readonly mapped: number
  readonly unknown: number
  readonly file: string | undefined
  readonly sha256: string | undefined
}

export function add(program: Command): void {
  journalOption(program.command('image'))
    .description('write the content of a volume as it was')
    .argument('[address]', 'VOL or VOL@POINT; POINT is seq:N, time:ISO, mark:LABEL, backup:NAME or source:K')
    .argument('[source]', 'a journal folder or a recording (.trace, .trace.jsonl), in place of -j')
    .option('--volume <name>', 'the volume, in place of an address')
    .option('--at <point>', 'the point, with --volume')
    .option('-o, --output <file>', 'the file to write, sparse where the volume is empty')
    .option('--force', 'replace a file that is there')
    .option('--digest', 'print the SHA-256 of the whole content, zeros included')
    .option('--json', 'print what was done as one JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  blockbox image disk0@mark:before-upgrade -j nightly.journal -o disk0.img\n' +
        '  blockbox image --volume disk0 --at seq:1200 -j nightly.journal --digest\n',
    )
    .action(act)
}

async function act(
  address: string | undefined,
  source: string | undefined,
  options: ImageOptions,
): Promise<void> {
  const { output, digest = false, force = false, json = false } = options
  const { volume: name, point } = addressed(address, options)
  if (output === '-') {
    throw new BlockboxError(
      'USAGE',
      'an image is a sparse file and not written to standard output: name a file',
    )
  }
  if (output === undefined && !digest) {
    throw new BlockboxError('USAGE', 'where to? Name a file with -o FILE, or ask for the --digest alone')
  }
  const writing = async ({ seq, size, block, mapped, unknown, pieces }: Found): Promise<Written> => {
    const sum = digest ? digestStream() : undefined
    const onPiece = async (piece: Piece) => {
      sum?.update(piece.bytes)
      showProgress(() => `${formatSize(piece.offset)} of ${formatSize(size)}`)
      await setImmediate()
      interrupt.throwIfAborted()
    }
    if (output === undefined) for await (const piece of pieces) await onPiece(piece)
    else await writeImageFile({ path: output, size, force }, pieces, onPiece)
    return { volume: name, seq, size, block, mapped, unknown, file: output, sha256: sum?.hex() }
  }
  const written = await withSourceOrServer(
    source,
    options,
    true,
    async ({ journal, payload }) => {
      const when = parsePointOf(point)
      await remarkOutside(journal, when)
      const { seq, volume, world } = await volumeAt(journal, name, when, interrupt)
      const { size, block } = volume
      const pieces = imagePieces(volume, payload, digest)
      const unknown = unknownBytes(world, volume.id)
      return writing({ seq, size, block, mapped: mappedBytes(volume), unknown, pieces })
    },
    async (remote) => {
      const address = point === undefined ? name : `${name}@${point}`
      return writing(await remoteImage(remote, address, digest))
    },
  )
  if (written.unknown > 0) {
    const what = `${formatSize(written.unknown)} of the far disk are not known: never written whole while it was recorded`
    remark(`${what}; the image has zeros there, or what was recorded last`)
  }
  await print(json ? writtenJson(written) : writtenText(written))
}

/** The name of the volume, and the point as it was written. Throws USAGE. */
function addressed(
  address: string | undefined,
  { volume, at }: ImageOptions,
): { volume: string; point: string | undefined } {
  if (address !== undefined && (volume !== undefined || at !== undefined)) {
    throw new BlockboxError('USAGE', 'the volume is named twice: give an address, or --volume and --at')
  }
  const from = address?.indexOf('@') ?? -1
  const named =
    address === undefined
      ? { volume, point: at }
      : {
          volume: from < 0 ? address : address.slice(0, from),
          point: from < 0 ? undefined : address.slice(from + 1),
        }
  if (named.volume === undefined) {
    throw new BlockboxError('USAGE', 'which volume? Write VOL@POINT, or --volume VOL')
  }
  parsePointOf(named.point)
  return { volume: named.volume, point: named.point }
}

function parsePointOf(point: string | undefined): Point {
  return point === undefined ? { by: 'last' } : parsePoint(point)
}

function writtenJson({ mapped, unknown, volume, seq, size, block, file, sha256 }: Written): string {
  const bytes = { mapped_bytes: mapped, ...(unknown > 0 && { unknown_bytes: unknown }) }
  return JSON.stringify({ version: 1, volume, seq, size, block, ...bytes, file, sha256 })
}

function writtenText({ volume, seq, size, mapped, file, sha256 }: Written): string {
  const what = `volume ${volume} after event ${seq}: ${formatSize(size)}, ${formatSize(mapped)} of it mapped`
  const lines = [file === undefined ? what : `${what}, written to ${file}`]
  if (sha256 !== undefined) lines.push(`sha256 ${sha256}`)
  return lines.map(escaped).join('\n')
}

/** The image as the process that has the journal open sends it. */
async function remoteImage(remote: RemoteControl, address: string, holes: boolean): Promise<Found> {
  const response = await remote.stream(image, { address })
  const number = (name: string) => Number(response.headers[`blockbox-${name}`])
  const [size, block] = [number('size'), number('block')]
  const fail = (problem: string) => errorOf(JSON.parse(problem))
  const pieces = streamedPieces(response, { size, longest: Math.max(pieceBytes, block), holes, fail })
  return { seq: number('seq'), size, block, mapped: number('mapped'), unknown: number('unknown'), pieces }
}
