import { Spinner } from '../../ui'

export const Waiting = () => <div className="waiting" role="status"><Spinner /> <span>Loading…</span></div>
