/** The cloud's services: where they are, and which version of the API the console speaks. */
export const SERVICES = {
  identity: { prefix: '/identity', header: undefined },
  compute: { prefix: '/compute', header: 'compute 2.104' },
  network: { prefix: '/network', header: undefined },
  volume: { prefix: '/volume', header: 'volume 3.71' },
  image: { prefix: '/image', header: undefined },
  placement: { prefix: '/placement', header: 'placement 1.39' },
} as const;

export type ServiceName = keyof typeof SERVICES;
