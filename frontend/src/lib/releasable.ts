import type { ModelVersion } from '../data/schema'

type Judged = Pick<ModelVersion, 'number' | 'verdict' | 'status'>

/** Whether the gate lets people ask for a release of it. A version that was never compared, such as the first one, it lets. */
export const releasable = (v: Judged): boolean => v.verdict !== 'FAIL' && v.status !== 'Rejected'

/** The newest version that may be released without break-glass. */
export const newestReleasable = <V extends Judged>(versions: V[]): V | undefined =>
  versions.filter(releasable).reduce<V | undefined>((newest, v) => (newest && newest.number > v.number ? newest : v), undefined)
