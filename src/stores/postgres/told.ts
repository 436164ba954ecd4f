/** What the units of a transaction left behind, once it stands. */
import type { DeadLetterId, Rejection } from '../../contracts/operation.ts'
import { Results } from '../../sql/results.ts'

export class Told {
  readonly results: Results = new Results()
  readonly rejections: Rejection[] = []

  rejected(rejection: Omit<Rejection, 'deadLetter'>, letter: unknown): void {
    this.rejections.push({ ...rejection, deadLetter: Number(letter) as DeadLetterId })
  }
}
