/** One extension as the API lists it: upstream's alias, name, description and date. */
export interface Extension {
  readonly alias: string;
  readonly name: string;
  readonly description: string;
  readonly updated: string;
}

export const extension = (alias: string, name: string, description: string, updated: string): Extension => ({ alias, name, description, updated });
