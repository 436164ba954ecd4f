/** A file that no song can be made of. Its message tells the user why it was skipped. */
export class BrokenFileError extends Error {}
