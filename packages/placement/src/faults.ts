import { STATUS_CODES } from 'node:http';
import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';

/** Placement's faults follow the API guideline on errors; codes from microversion 1.23 on (placement/errors.py). */
export function placementFault(error: CairnError, request: FaultRequest): WireFault {
  const range = error.kind === 'NotAcceptable' && error.type === 'InvalidGlobalAPIVersion' ? (error.detail as { min: string; max: string }) : undefined;
  const fault = {
    status: error.status,
    title: STATUS_CODES[error.status] ?? 'Error',
    detail: error.message,
    ...(request.version?.atLeast('1.23') && { code: error.type?.startsWith('placement.') ? error.type : 'placement.undefined_code' }),
    ...(range && { min_version: range.min, max_version: range.max }),
    request_id: request.requestId,
  };
  return { status: error.status, ...(error.headers && { headers: error.headers }), body: { errors: [fault] } };
}
