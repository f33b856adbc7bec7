import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** The cloud's Prometheus metrics; one registry per process, made by the composition. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Histogram<'service' | 'operation' | 'method' | 'status'>;
  readonly #sagas: Counter<'name' | 'outcome'>;
  readonly #sagaSeconds: Histogram<'name'>;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Histogram({
      name: 'cairn_http_request_seconds',
      help: 'Requests by service and operation',
      labelNames: ['service', 'operation', 'method', 'status'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers: [this.registry],
    });
    this.#sagas = new Counter({
      name: 'cairn_sagas_total',
      help: 'Sagas that ended, by name and outcome',
      labelNames: ['name', 'outcome'],
      registers: [this.registry],
    });
    this.#sagaSeconds = new Histogram({
      name: 'cairn_saga_seconds',
      help: 'Time from start to end of sagas',
      labelNames: ['name'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
      registers: [this.registry],
    });
  }

  request(facts: { service: string; operation: string; method: string; status: number; milliseconds: number }): void {
    this.#requests.observe(
      { service: facts.service, operation: facts.operation, method: facts.method, status: String(facts.status) },
      facts.milliseconds / 1000,
    );
  }

  saga(name: string, outcome: 'done' | 'failed', seconds: number): void {
    this.#sagas.inc({ name, outcome });
    this.#sagaSeconds.observe({ name }, seconds);
  }

  /** A value read at scrape time. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
