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

/** Firmware that boots only what is signed, with variables that hold the usual vendors' keys. */
const SECURE_NAMES: typeof NAMES = [
  ['OVMF_CODE_4M.ms.fd', 'OVMF_VARS_4M.ms.fd'],
  ['OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.ms.fd'],
  ['OVMF_CODE.secboot.4m.fd', 'OVMF_VARS.secboot.4m.fd'],
  ['OVMF_CODE.secboot.fd', 'OVMF_VARS.secboot.fd'],
];

/** The first UEFI firmware that is installed; with `secure` one that enforces secure boot. */
export async function findFirmware(extraDirs: readonly string[] = [], secure = false): Promise<Firmware | undefined> {
  for (const dir of [...extraDirs, ...DIRS]) {
    for (const [code, variables] of secure ? SECURE_NAMES : NAMES) {
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
  secure = false,
): Promise<{ readonly codePath: string; readonly variablesPath: string }> {
  if (!firmware) throw noFirmware(secure);
  if (!(await exists(variablesPath))) await copyFile(firmware.variablesTemplate, variablesPath);
  return { codePath: firmware.codePath, variablesPath };
}

export const noFirmware = (secure: boolean): Error =>
  unavailable(`This server boots by UEFI${secure ? ' with secure boot' : ''}, and this host has no UEFI firmware for that. Install the package ovmf.`);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
