import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';

/** A UEFI firmware: its code, and the template of the variables each guest has a copy of. */
export interface Firmware {
  readonly codePath: string;
  readonly variablesTemplate: string;
}

/** Where distributions put OVMF (without secure boot). */
const DIRS: readonly string[] = ['/usr/share/OVMF', '/usr/share/edk2/x64', '/usr/share/edk2/ovmf', '/usr/share/edk2-ovmf/x64', '/usr/share/qemu'];
const NAMES: readonly (readonly [code: string, variables: string])[] = [
  ['OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'],
  ['OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'],
  ['OVMF_CODE.fd', 'OVMF_VARS.fd'],
];

/** The first UEFI firmware that is installed. */
export async function findFirmware(extraDirs: readonly string[] = []): Promise<Firmware | undefined> {
  for (const dir of [...extraDirs, ...DIRS]) {
    for (const [code, variables] of NAMES) {
      const firmware = { codePath: join(dir, code), variablesTemplate: join(dir, variables) };
      const [a, b] = await Promise.all([exists(firmware.codePath), exists(firmware.variablesTemplate)]);
      if (a && b) return firmware;
    }
  }
  return undefined;
}

/** Makes a guest's own variables where it has none yet. Throws Unavailable when no firmware is installed. */
export async function prepareFirmware(
  firmware: Firmware | undefined,
  variablesPath: string,
): Promise<{ readonly codePath: string; readonly variablesPath: string }> {
  if (!firmware) throw unavailable('This server boots by UEFI, and this host has no UEFI firmware. Install the package ovmf.');
  if (!(await exists(variablesPath))) await copyFile(firmware.variablesTemplate, variablesPath);
  return { codePath: firmware.codePath, variablesPath };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
