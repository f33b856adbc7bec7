import type { Ids } from '@cairn/kit/ids/ids';
import { EC2_VERSIONS, ec2Tree } from './ec2.ts';
import type { GuestFacts } from './facts.ts';
import { contentName, OPENSTACK_VERSIONS, openstackItem } from './openstack.ts';

/** EC2 versions that nobody reads from a drive (upstream's default of config_drive_skip_versions). */
const SKIPPED = new Set(['1.0', '2007-01-19', '2007-03-01', '2007-08-29', '2007-10-10', '2007-12-15', '2008-02-01', '2008-09-01']);
const FILES = ['meta_data.json', 'user_data', 'vendor_data.json', 'network_data.json', 'vendor_data2.json'];
const FIRST: Readonly<Record<string, string>> = { 'vendor_data.json': '2013-10-17', 'network_data.json': '2015-10-15', 'vendor_data2.json': '2016-10-06' };

/** The files of a config drive: path → base64. The same trees as the metadata service's. */
export function configDriveFiles(facts: GuestFacts, ids: Ids): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  const put = (path: string, body: string | Buffer): void => {
    files[path] = Buffer.from(body as string).toString('base64');
  };
  for (const version of [...EC2_VERSIONS, 'latest']) {
    if (SKIPPED.has(version)) continue;
    const tree = ec2Tree(facts, version);
    if (tree === undefined) continue;
    if (tree['user-data'] !== undefined) put(`ec2/${version}/user-data`, tree['user-data']);
    put(
      `ec2/${version}/meta-data.json`,
      JSON.stringify(tree['meta-data'], (key, value: unknown) => (key === '_name' ? undefined : value)),
    );
  }
  for (const version of [...OPENSTACK_VERSIONS, 'latest']) {
    for (const name of FILES) {
      const first = FIRST[name];
      if (first !== undefined && version !== 'latest' && version < first) continue;
      const item = openstackItem(facts, [version, name], ids);
      if (item?.kind === 'text') put(`openstack/${version}/${name}`, item.body);
    }
  }
  facts.files.forEach((file, index) => {
    put(`openstack/content/${contentName(index)}`, file.contents);
  });
  return files;
}
