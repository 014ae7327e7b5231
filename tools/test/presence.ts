/**
 * Whether the things test files declare to need are there: a program on the PATH, a variable that is set, a package
 * that is installed somewhere above the file.
 */

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { Need } from './declaration.ts'

/** True if what `file` needs is there. An empty variable counts as unset. */
export function isPresent(need: Need, file: string): boolean {
  switch (need.kind) {
    case 'program':
      return (process.env.PATH ?? '').split(delimiter).some((folder) => isProgram(join(folder, need.name)))
    case 'env':
      return (process.env[need.name] ?? '') !== ''
    case 'package':
      return foldersAbove(file).some((folder) =>
        existsSync(join(folder, 'node_modules', need.name, 'package.json')),
      )
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function foldersAbove(path: string): string[] {
  const above = dirname(path)
  return above === path ? [] : [above, ...foldersAbove(above)]
}
