import { buildGuestImage } from '../guest-image/build.ts';
import { TemplateHost } from './templates.fixture.ts';

/**
 * Cairn as far as templates go, until it is killed: `node crash.child.fixture.ts DIRECTORY [TEMPLATE]`. Makes a template, or starts guests from
 * the one that is named, one after the other.
 */
const [dir = '', templateId] = process.argv.slice(2);
const host = await TemplateHost.at(dir, await buildGuestImage({ outDir: `${dir}/image` }));
if (templateId === undefined) await host.prepared();
for (let i = 0; templateId !== undefined; i++) {
  const { disk } = await host.prepared();
  await host.guests.start(await host.guest(`n${i}`, disk), { templateId });
}
