import { createHash } from 'node:crypto';
import type { Clock } from '@cairn/kit/clock/clock';
import type { PreparedTemplate, TemplateInfo, Templates, TemplateSpec } from '../interface/templates.ts';
import { whyNoTemplate } from '../templates/shape.ts';
import type { Injector, SimulatedDelays } from './faults.ts';
import type { SimulatedMachine } from './machine.ts';

const SNAPSHOT = 'kept';

/** Templates in memory, with the rules of real ones: one for each image and machine, with a disk of its own, made once. */
export class SimulatedTemplates implements Templates {
  readonly #machine: SimulatedMachine;
  readonly #clock: Clock;
  readonly #inject: Injector;
  readonly #delays: SimulatedDelays;
  readonly #making = new Map<string, Promise<PreparedTemplate>>();
  /** For tests: why an image cannot be kept; undefined for one that can. */
  refuse: (imageId: string) => string | undefined = () => undefined;

  constructor(machine: SimulatedMachine, clock: Clock, inject: Injector, delays: SimulatedDelays) {
    this.#machine = machine;
    this.#clock = clock;
    this.#inject = inject;
    this.#delays = delays;
  }

  async prepare(spec: TemplateSpec, signal?: AbortSignal): Promise<PreparedTemplate> {
    signal?.throwIfAborted();
    const reason = whyNoTemplate(spec) ?? this.refuse(spec.image.imageId);
    if (reason !== undefined) return { reason };
    const { limits: _, ...root } = spec.root;
    const templateId = createHash('sha256')
      .update(JSON.stringify([spec.image.imageId, spec.image.sha512, spec.sizeBytes, root, spec.machine]))
      .digest('hex')
      .slice(0, 32);
    const making = this.#making.get(templateId) ?? this.#make(templateId, spec).finally(() => this.#making.delete(templateId));
    this.#making.set(templateId, making);
    return await making;
  }

  async #make(templateId: string, spec: TemplateSpec): Promise<PreparedTemplate> {
    const prepared = { templateId, disk: { diskId: templateId, snapshotId: SNAPSHOT } };
    return await this.#inject.run('templates.prepare', [spec], this.#machine.templates.has(templateId) ? 0 : this.#delays.templateMs, () => {
      if (this.#machine.templates.has(templateId)) return prepared;
      const { imageId } = spec.image;
      this.#machine.disks.set(templateId, { diskId: templateId, format: 'qcow2', sizeBytes: spec.sizeBytes, snapshots: [SNAPSHOT], pool: 'template' });
      this.#machine.templates.set(templateId, { templateId, imageId, memoryMb: spec.machine.memoryMb, atMs: this.#clock.nowMs() });
      this.#keep(templateId);
      return prepared;
    });
  }

  async list(): Promise<readonly TemplateInfo[]> {
    return [...this.#machine.templates.values()].map((template) => ({ ...template, state: 'ready' as const, usedBytes: 0 }));
  }

  drop(imageId: string): Promise<void> {
    return this.#inject.run('templates.drop', [imageId], undefined, () => {
      for (const template of [...this.#machine.templates.values()]) {
        if (template.imageId !== imageId) continue;
        this.#machine.templates.delete(template.templateId);
        this.#machine.disks.delete(template.templateId);
        this.#keep(template.templateId);
      }
    });
  }

  #keep(templateId: string): void {
    this.#machine.keep?.('disks', templateId);
    this.#machine.keep?.('templates', templateId);
  }
}
