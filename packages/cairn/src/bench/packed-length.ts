import { get } from 'node:http';

/** The length in bytes of a file as it is sent packed with gzip; fetch would unpack it and hide that. Rejects when no answer comes. */
export const packedLength = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      response.resume();
      resolve(Number(response.headers['content-length']));
    }).once('error', reject);
  });
