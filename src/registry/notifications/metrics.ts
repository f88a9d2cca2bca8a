import { Counter, Gauge, type Registry } from 'prom-client';
import type { NotificationsObserver } from './notifications.ts';

/** Named and labelled as distribution's, except for the dropped ones, which it can't have: its queue has no bound. */
export function notificationMetrics(register: Registry): NotificationsObserver {
  const registers = [register];
  const events = new Counter({
    name: 'registry_notifications_events_total',
    help: 'The number of total events',
    labelNames: ['type', 'endpoint'],
    registers,
  });
  const status = new Counter({
    name: 'registry_notifications_status_total',
    help: 'The number of status code',
    labelNames: ['code', 'endpoint'],
    registers,
  });
  const droppedEvents = new Counter({
    name: 'registry_notifications_dropped_total',
    help: 'Events that were dropped because the queue of the endpoint was full',
    labelNames: ['endpoint'],
    registers,
  });
  const queues = new Map<string, () => number>();
  void new Gauge({
    name: 'registry_notifications_pending_total',
    help: 'The gauge of pending events in queue',
    labelNames: ['endpoint'],
    registers,
    collect() {
      for (const [endpoint, pending] of queues) this.set({ endpoint }, pending());
    },
  });
  return {
    endpoint(endpoint, pending) {
      queues.set(endpoint, pending);
      droppedEvents.inc({ endpoint }, 0);
      return {
        queued: () => events.inc({ type: 'Events', endpoint }),
        answered(code, accepted) {
          status.inc({ code, endpoint });
          events.inc({ type: accepted ? 'Successes' : 'Failures', endpoint });
        },
        failed: () => events.inc({ type: 'Errors', endpoint }),
        dropped: (count) => droppedEvents.inc({ endpoint }, count),
      };
    },
  };
}
