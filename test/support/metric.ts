/**
 * The value of one series as a scrape shows it.
 *
 * @param series name and labels as they stand there, such as `broker_sync_total{outcome="success"}`
 * @returns undefined where there is no such series
 */
export async function metric(url: string, series: string): Promise<number | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
