/** The samples of a page in Prometheus' text format, by series name with its labels as they are written. */
export type Samples = ReadonlyMap<string, number>;

export function parseSamples(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const end = line.lastIndexOf(' ');
    samples.set(line.slice(0, end), Number(line.slice(end + 1)));
  }
  return samples;
}

export async function readSamples(origin: string): Promise<Samples> {
  const answer = await fetch(`${origin}/metrics`);
  return parseSamples(await answer.text());
}

/** The sum of all series of one metric. */
export function total(samples: Samples, metric: string): number {
  let sum = 0;
  for (const [series, value] of samples) {
    if (series === metric || series.startsWith(`${metric}{`)) sum += value;
  }
  return sum;
}

/** The series of one metric by the value of one of its labels. */
export function byLabel(samples: Samples, metric: string, label: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [series, value] of samples) {
    if (!series.startsWith(`${metric}{`)) continue;
    const name = new RegExp(`[{,]${label}="([^"]*)"`).exec(series)?.[1];
    if (name !== undefined) values[name] = (values[name] ?? 0) + value;
  }
  return values;
}
