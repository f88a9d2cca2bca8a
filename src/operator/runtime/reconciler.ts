/** The shape of all work in this program. Source: controller-runtime's pkg/reconcile. */

/** What to reconcile is a name, never an event: the reconciler reads the world as it is now. */
export interface Request {
  namespace: string;
  name: string;
}

export interface Result {
  /** Look again after this many milliseconds, even if nothing changes. */
  requeueAfterMs?: number;
}

/** A thrown error means "again, later and later"; a {@link TerminalError} means that only a change can help. */
export interface Reconciler {
  reconcile(request: Request, signal: AbortSignal): Promise<Result>;
}

export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TerminalError';
  }
}
