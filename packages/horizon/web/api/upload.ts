import { activity } from './activity.ts';
import { PAGE_HEADERS } from './client.ts';
import { ApiError, messageOf } from './errors.ts';
import { doorTo } from './region.ts';
import type { ServiceName } from './services.ts';

/** Sends a file as a PUT's body and tells how much of it has gone; the signal stops it. XMLHttpRequest, since fetch does not tell. */
export function upload(service: ServiceName, path: string, file: Blob, onSent: (bytes: number) => void, signal?: AbortSignal): Promise<void> {
  const from = performance.now();
  const end = activity.begin({
    service,
    method: 'PUT',
    path,
    body: undefined,
    headers: { 'content-type': 'application/octet-stream' },
    startedAtMs: Date.now(),
  });
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const done = (status: number): string | undefined => {
      const requestId = request.getResponseHeader('x-openstack-request-id') ?? undefined;
      end({ status, milliseconds: performance.now() - from, requestId });
      return requestId;
    };
    request.open('PUT', `${doorTo(service)}${path}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    for (const [name, value] of Object.entries(PAGE_HEADERS)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => {
      const requestId = done(request.status);
      if (request.status < 300) return resolve();
      let body: unknown = request.responseText;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // a text then
      }
      reject(new ApiError(request.status, messageOf(body, request.status), requestId));
    };
    request.onabort = () => {
      done(0);
      reject(new ApiError(0, messageOf(undefined, 0), undefined));
    };
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.onerror = () => {
      done(0);
      reject(new ApiError(0, messageOf(undefined, 0), undefined));
    };
    request.send(file);
  });
}
