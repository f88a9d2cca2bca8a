import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { KubeObserver } from '#shared/kube/observer.ts';
import type { Queue, QueueObserver } from './queue.ts';

/** How a reconcile ended, in controller-runtime's words. */
export type Outcome = 'success' | 'error' | 'requeue_after';

export interface ControllerMetrics {
  queue: QueueObserver;
  /** Depth and unfinished work are read off the queue at each scrape. */
  observeQueue(queue: Queue): void;
  setWorkers(count: number): void;
  onStart(): void;
  onEnd(outcome: Outcome, seconds: number, terminal: boolean): void;
}

/** All metrics of the runtime, with the names that dashboards for controller-runtime and client-go expect. */
export interface RuntimeMetrics {
  kube: KubeObserver;
  controller(name: string): ControllerMetrics;
  setLeader(lease: string, leading: boolean): void;
}

/** controller-runtime's buckets for reconciles. */
const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** client-go's are powers of ten from 10 ns on; below 1 ms nothing of interest happens here. */
const queueBuckets = [0.001, 0.01, 0.1, 1, 10, 60, 600];

export function createRuntimeMetrics(registry: Registry): RuntimeMetrics {
  const registers = [registry];
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this process holds the Lease of this name.',
    labelNames: ['name'],
    registers,
  });
  return {
    kube: kubeObserver(registry),
    controller: controllerMetrics(registry),
    setLeader: (lease, leading) => leader.set({ name: lease }, leading ? 1 : 0),
  };
}

function kubeObserver(registry: Registry): KubeObserver {
  const counter = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const requests = counter('rest_client_requests_total', 'Requests to the API server, by answer.', [
    'code',
    'method',
    'host',
  ]);
  const lists = counter('reflector_lists_total', 'Complete lists asked for.', ['kind']);
  const watches = counter('reflector_watches_total', 'Watches begun.', ['kind']);
  const events = counter('reflector_events_total', 'Events received, bookmarks included.', ['kind', 'type']);
  const failures = counter('reflector_failures_total', 'Lists and watches that broke.', ['kind', 'reason']);
  const objects = new Gauge({
    name: 'reflector_objects',
    help: 'Objects held in memory.',
    labelNames: ['kind'],
    registers: [registry],
  });
  return {
    onRequest: (request) => requests.inc(request),
    onList: (kind) => lists.inc({ kind }),
    onWatch: (kind) => watches.inc({ kind }),
    onEvent: (kind, type) => events.inc({ kind, type }),
    onFailure: (kind, reason) => failures.inc({ kind, reason }),
    onSize: (kind, count) => objects.set({ kind }, count),
  };
}

function controllerMetrics(registry: Registry): (name: string) => ControllerMetrics {
  const queue = queueMetrics(registry);
  const labels = { labelNames: ['controller'], registers: [registry] };
  const total = new Counter({
    ...labels,
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciles, by how they ended.',
    labelNames: ['controller', 'result'],
  });
  const errors = new Counter({
    ...labels,
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciles that failed.',
  });
  const terminal = new Counter({
    ...labels,
    name: 'controller_runtime_terminal_reconcile_errors_total',
    help: 'Reconciles that failed in a way that no retry can help.',
  });
  const time = new Histogram({
    ...labels,
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Time of one reconcile.',
    buckets: reconcileBuckets,
  });
  const active = new Gauge({
    ...labels,
    name: 'controller_runtime_active_workers',
    help: 'Workers that reconcile right now.',
  });
  const workers = new Gauge({
    ...labels,
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Workers there are.',
  });
  return (controller) => {
    for (const result of ['success', 'error', 'requeue_after']) total.inc({ controller, result }, 0);
    for (const counter of [errors, terminal]) counter.inc({ controller }, 0);
    return {
      ...queue(controller),
      setWorkers: (count) => workers.set({ controller }, count),
      onStart: () => active.inc({ controller }),
      onEnd(result, seconds, isTerminal) {
        active.dec({ controller });
        total.inc({ controller, result });
        time.observe({ controller }, seconds);
        if (result === 'error') errors.inc({ controller });
        if (isTerminal) terminal.inc({ controller });
      },
    };
  };
}

function queueMetrics(registry: Registry): (name: string) => Pick<ControllerMetrics, 'queue' | 'observeQueue'> {
  const queues = new Map<string, Queue>();
  const labels = { labelNames: ['name', 'controller'], registers: [registry] };
  const gauge = (name: string, help: string, read: (queue: Queue) => number): void => {
    const metric: Gauge = new Gauge({
      ...labels,
      name,
      help,
      collect: () => queues.forEach((queue, controller) => metric.set({ name: controller, controller }, read(queue))),
    });
  };
  gauge('workqueue_depth', 'Names that wait.', (queue) => queue.depth);
  gauge('workqueue_unfinished_work_seconds', 'How long all workers together are busy with what they do.', (queue) =>
    queue.unfinished.reduce((sum, seconds) => sum + seconds, 0),
  );
  gauge('workqueue_longest_running_processor_seconds', 'How long the slowest worker is busy.', (queue) =>
    Math.max(0, ...queue.unfinished),
  );
  const adds = new Counter({ ...labels, name: 'workqueue_adds_total', help: 'Names added.' });
  const retries = new Counter({ ...labels, name: 'workqueue_retries_total', help: 'Names added after a failure.' });
  const waits = new Histogram({
    ...labels,
    name: 'workqueue_queue_duration_seconds',
    help: 'Time in the queue.',
    buckets: queueBuckets,
  });
  const works = new Histogram({
    ...labels,
    name: 'workqueue_work_duration_seconds',
    help: 'Time with a worker.',
    buckets: queueBuckets,
  });
  return (controller) => {
    const label = { name: controller, controller };
    return {
      observeQueue: (queue) => queues.set(controller, queue),
      queue: {
        onAdd: () => adds.inc(label),
        onRetry: () => retries.inc(label),
        onTaken: (seconds) => waits.observe(label, seconds),
        onDone: (seconds) => works.observe(label, seconds),
      },
    };
  };
}
