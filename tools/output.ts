/**
 * What commands say: results on standard output, progress on standard error, and only to a person watching.
 * Text from outside (names, paths, trace lines) goes through `escaped` before it reaches a terminal.
 */

/** Thrown by `print` when the reader has gone, as in `blockbox log | head`. The program then ends quietly, with 0. */
export class OutputClosed extends Error {
  constructor() {
    super('standard output was closed')
    this.name = 'OutputClosed'
  }
}

let guarded = false
let progressShown = false

/** Keeps a reader that has gone from ending the program with a stack trace. */
export function guardOutput(): void {
  if (guarded) return
  guarded = true
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1
  })
  process.stderr.on('error', () => undefined)
}

/**
 * Writes text and a newline to standard output. Resolves when it has been taken, so that whoever awaits it cannot run
 * ahead of the reader; many lines are cheaper joined into one call. Rejects with OutputClosed when the reader is gone.
 * Text for people went through `escaped` before; JSON is made plain here.
 */
export function print(text: string): Promise<void> {
  guardOutput()
  if (progressShown && process.stdout.isTTY) progress('')
  return new Promise((resolve, reject) => {
    process.stdout.write(`${plainJson(text)}\n`, (error?: NodeJS.ErrnoException | null) => {
      if (error == null) resolve()
      else reject(gone(error.code) ? new OutputClosed() : error)
    })
  })
}

const gone = (code: string | undefined) => code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED'

/** Shows one line of progress in place of the one before; '' removes it. Does nothing unless stderr is a terminal. */
export function progress(text: string): void {
  if (!process.stderr.isTTY) return
  progressShown = text !== ''
  process.stderr.write(`\r\x1b[K${escaped(text).slice(0, (process.stderr.columns ?? 80) - 1)}`)
}

/** Lines of cells in aligned columns, two spaces between them. Columns named in `right` are flush right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  const pad = (cell: string, column: number) =>
    right.includes(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The text with control, bidirectional and line-separating characters spelled out; a backslash stays as it is. */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (char) => {
    const code = char.codePointAt(0)!.toString(16)
    return NAMED[char] ?? (code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`)
  })
}

/**
 * JSON with what a terminal would act on spelled as its own escapes, so that it stays the same JSON: what
 * JSON.stringify leaves as it is are the controls above 127, bidirectional and line-separating characters.
 */
export function plainJson(json: string): string {
  return json.replace(
    /[\x7f-\x9f\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
