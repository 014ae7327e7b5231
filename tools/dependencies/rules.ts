/** The rules that dependencies are held to, one function each: manifests in, findings out. Nothing here reads a file. */

import { builtinModules } from 'node:module'

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

interface Locked {
  readonly license?: string
  readonly dev?: boolean
  readonly integrity?: string
  /** Whom to thank, and where. */
  readonly funding?: unknown
  readonly resolved?: string
}

/** A lock file of version 3, as far as it is looked at. */
export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>
}

/** Licences under which a package may come with an installation. */
const permitted: ReadonlySet<string> = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
])

/** Packages that come with an installation under another licence, or of which lock and package disagree. */
export function licenceFaults(lock: Lock, installed: (path: string) => string | undefined): string[] {
  const findings: string[] = []
  for (const [path, { license = 'none', dev }] of Object.entries(lock.packages)) {
    if (path === '' || dev === true) continue
    const stated = installed(path) ?? license
    if (!permitted.has(stated)) findings.push(`${path}: the licence ${stated} is not permitted`)
    if (stated !== license) findings.push(`${path}: the lock file says ${license}, the package ${stated}`)
  }
  return findings
}

/** Used by their programs, or for their types, without an import. */
const tools: ReadonlySet<string> = new Set(['@biomejs/biome', '@types/node', 'c8', 'typescript'])

/** Dependencies nobody imports, and imports of what is no dependency; src and tools live without devDependencies. */
export function useFaults(
  { dependencies = {}, devDependencies = {} }: Manifest,
  sources: readonly { readonly path: string; readonly text: string }[],
): string[] {
  const findings: string[] = []
  const used = new Set<string>()
  for (const { path, text } of sources) {
    for (const name of importsOf(text)) {
      used.add(name)
      const isShipped = !path.startsWith('test/')
      const isThere =
        Object.hasOwn(dependencies, name) || (!isShipped && Object.hasOwn(devDependencies, name))
      if (!isThere) findings.push(`${path}: imports ${name}, which is no dependency`)
    }
  }
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    if (!used.has(name) && !tools.has(name)) findings.push(`package.json: nobody imports ${name}`)
  }
  return findings
}

/** Names of the packages that statements of a source import. */
function importsOf(text: string): string[] {
  const found = [...text.matchAll(/^(?:(?:import|export)\b|\})[^'"\n]*\bfrom ['"]([^'"\n ]+)['"]$/gm)]
  return found
    .map(([, target]) => target!)
    .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
    .map((target) =>
      target
        .split('/')
        .slice(0, target.startsWith('@') ? 2 : 1)
        .join('/'),
    )
    .filter((name) => !builtinModules.includes(name))
}

const severities = new Set(['info', 'low', 'moderate', 'high', 'critical'])

/**
 * What `npm audit --json` said: a line for each package with a known weakness, or why it was not asked.
 * Nothing of the answer is believed but names and severities.
 */
export function auditOf(answer: string): { readonly weak: string[] } | { readonly unasked: string } {
  let value: { vulnerabilities?: unknown; message?: unknown } | null
  try {
    value = JSON.parse(answer) as typeof value
  } catch {
    return { unasked: 'npm said nothing' }
  }
  const { vulnerabilities: found, message } = value ?? {}
  if (typeof found !== 'object' || found === null) {
    return { unasked: typeof message === 'string' ? message.slice(0, 200) : 'npm gave no answer' }
  }
  const weak = Object.entries(found as Record<string, { severity?: unknown } | null>).map(([name, entry]) => {
    const severity = String(entry?.severity)
    return `${name.slice(0, 214)}: a weakness is known (${severities.has(severity) ? severity : 'of no severity'})`
  })
  return { weak }
}

/** Where packages are fetched from is nobody's business but npm's; what was fetched is told by its digest. */
export function lockFaults({ packages }: Lock): string[] {
  const findings: string[] = []
  for (const [path, { funding: _, ...entry }] of Object.entries(packages)) {
    if (path === '') continue
    if (/https?:|\bregistry\./.test(JSON.stringify(entry))) {
      findings.push(`package-lock.json: ${path} names a host`)
    }
    if (entry.integrity === undefined) findings.push(`package-lock.json: ${path} has no digest`)
  }
  return findings
}
