import { SERVICES, type ServiceName } from './services.ts';

/** The region that the page is in, when that is not the console's own. */
interface Elsewhere {
  readonly name: string;
  /** Where its services are, by the catalog. */
  readonly bases: Readonly<Partial<Record<ServiceName, string>>>;
}

let elsewhere: Elsewhere | undefined;

/** From now on calls go to the services of this region; to the console's own without one. */
export const goTo = (region: Elsewhere | undefined): void => {
  elsewhere = region;
};

/** The name of the region, when it is not the console's own. */
export const regionNow = (): string | undefined => elsewhere?.name;

/** Where the page finds a service: at its own origin in any case. Keystone is one for all regions. */
export const doorTo = (service: ServiceName): string =>
  elsewhere === undefined || service === 'identity'
    ? `/console/api${SERVICES[service].prefix}`
    : `/console/region/${encodeURIComponent(elsewhere.name)}/${service}`;

/** Where other clients find it. */
export const addressOf = (service: ServiceName, origin: string): string => elsewhere?.bases[service] ?? origin + SERVICES[service].prefix;
