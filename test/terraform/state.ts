/** What is read of `terraform show -json`. @see https://developer.hashicorp.com/terraform/internals/json-format */
export interface State {
  readonly values?: { readonly root_module: Module };
}

interface Module {
  readonly resources?: readonly StateResource[];
  readonly child_modules?: readonly Module[];
}

export interface StateResource {
  readonly address: string;
  readonly type: string;
  readonly mode: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Every resource of every module; data sources are left out. */
export function resourcesOf(state: State): StateResource[] {
  const walk = (module: Module): StateResource[] => [
    ...(module.resources ?? []).filter(({ mode }) => mode === 'managed'),
    ...(module.child_modules ?? []).flatMap(walk),
  ];
  return state.values === undefined ? [] : walk(state.values.root_module);
}
