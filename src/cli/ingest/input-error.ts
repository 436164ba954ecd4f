/** What can be wrong with an input as a whole. A single bad line is never one of these. */
export type InputErrorCode =
  | 'INPUT_NOT_FOUND'
  | 'INPUT_IS_DIRECTORY'
  | 'INPUT_UNREADABLE'
  | 'INPUT_BINARY'
  | 'INPUT_ENCODING'
  | 'INPUT_COMPRESSION'
  | 'INPUT_DAMAGED'
  | 'INPUT_INCOMPLETE'
  | 'INPUT_CHANGED'
  | 'INPUT_FORMAT'
  | 'CSV_HEADER_INVALID'
  | 'CSV_HEADER_CHANGED'

/** An input that cannot be read (further). `message` says what and where, `hint` what to do. */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly code: InputErrorCode
  readonly hint: string

  constructor(code: InputErrorCode, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.hint = hint
  }
}

/** Says in words why the system refused to open or read `name`. */
export function inputErrorFrom(error: unknown, name: string): InputError {
  if (error instanceof InputError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new InputError(
        'INPUT_NOT_FOUND',
        `there is no file ${name}`,
        'check the path; use - to read from standard input',
        error,
      )
    case 'EISDIR':
      return directoryError(name)
    case 'EACCES':
    case 'EPERM':
      return new InputError(
        'INPUT_UNREADABLE',
        `${name} may not be read by this user`,
        'read it as a user who may, or pipe it: sudo cat FILE | tidemark ingest -',
        error,
      )
    default:
      return new InputError(
        'INPUT_UNREADABLE',
        `${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        'what was read so far is kept; run the same command again to go on from there',
        error,
      )
  }
}

export function directoryError(name: string): InputError {
  return new InputError(
    'INPUT_IS_DIRECTORY',
    `${name} is a directory`,
    'name its files; with a shell that is: tidemark ingest DIR/*',
  )
}
