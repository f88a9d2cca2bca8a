/** Named checks, run now and then. Source: distribution, registry/handlers/app.go RegisterHealthChecks and the package health. */
import { RegistryError } from '#registry/oci/errors.ts';

export interface HealthCheck {
  name: string;
  intervalMs: number;
  /** Failures in a row that make it count; 0 is as 1. */
  threshold: number;
  /** Rejects when something is wrong. */
  run: (signal: AbortSignal) => Promise<void>;
}

export interface Health {
  /** Failing checks with what is wrong; empty when all is well. */
  failures: () => Record<string, string>;
  /** Throws UNAVAILABLE when a check fails. */
  assert: () => void;
}

/** Runs each check every `intervalMs`, for the first time at once, until `signal` is aborted. */
export function startHealth(checks: HealthCheck[], signal: AbortSignal): Health {
  const failing = new Map<string, string>();
  for (const check of checks) poll(check, failing, signal);
  return {
    failures: () => Object.fromEntries(failing),
    assert() {
      if (failing.size > 0) throw new RegistryError('UNAVAILABLE', { detail: Object.fromEntries(failing) });
    },
  };
}

function poll(check: HealthCheck, failing: Map<string, string>, signal: AbortSignal): void {
  let inARow = 0;
  let running = false;
  const run = async () => {
    // A check that hangs is looked at again when it ends, not run twice.
    if (running) return;
    running = true;
    try {
      await check.run(signal);
      inARow = 0;
      failing.delete(check.name);
    } catch (error) {
      inARow++;
      if (inARow >= check.threshold) failing.set(check.name, error instanceof Error ? error.message : String(error));
    } finally {
      running = false;
    }
  };
  const timer = setInterval(() => void run(), check.intervalMs).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
  void run();
}
