import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/observability/metrics.ts';
import { findProgram } from '../support/lab-host.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/monitoring');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const rules: Rule[] = parse(readFileSync(join(FOLDER, 'alerts.yml'), 'utf8')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);
const panels: Panel[] = JSON.parse(
  readFileSync(join(FOLDER, 'grafana/dashboards/sandbox-broker.json'), 'utf8'),
).panels;

/** Labels that Prometheus adds to every series, and `job`, which it renames. */
const TARGET_LABELS = ['job', 'instance', 'exported_job', 'le'];

/** Every series that the broker exposes, with its labels. */
function exposedSeries(): Map<string, readonly string[]> {
  const series = new Map<string, readonly string[]>();
  for (const metric of createMetrics().registry.getMetricsAsArray()) {
    const { name, labelNames, type } = metric as unknown as {
      name: string;
      labelNames: string[];
      type: string;
    };
    const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const suffix of suffixes) series.set(`${name}${suffix}`, [...labelNames, ...TARGET_LABELS]);
  }
  return series;
}

/** What an expression of Prometheus asks of the broker: each series with the labels that it is chosen by. */
function askedFor(expression: string): { name: string; labels: string[] }[] {
  const selectors = expression.matchAll(/\b((?:broker|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g);
  return [...selectors].map(([, name = '', matchers = '']) => ({
    name,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

function missingFrom(expression: string): string[] {
  const exposed = exposedSeries();
  return askedFor(expression).flatMap(({ name, labels }) => {
    const known = exposed.get(name);
    if (known === undefined) return [name];
    return labels.filter((label) => !known.includes(label)).map((label) => `${name}{${label}}`);
  });
}

describe('the files for Prometheus and Grafana', () => {
  it.each(rules.map((rule) => [rule.alert, rule.expr]))(
    'alert %s asks only for series that exist',
    (_, expr) => {
      expect(missingFrom(expr)).toEqual([]);
      expect(expr).toMatch(/\b(broker|nodejs|process)_|\bup\b/);
    },
  );

  it('every panel of the dashboard asks only for series that exist', () => {
    const expressions = panels.flatMap((panel) => panel.targets ?? []).map((target) => target.expr);
    expect(expressions.length).toBeGreaterThan(20);
    expect(expressions.flatMap(missingFrom)).toEqual([]);
  });

  it('would notice a series or a label that does not exist', () => {
    expect(missingFrom('max(broker_pool_avaliable)')).toEqual(['broker_pool_avaliable']);
    expect(missingFrom('broker_allocate_total{result="x"}')).toEqual(['broker_allocate_total{result}']);
    expect(missingFrom('broker_request_latency_seconds')).toEqual(['broker_request_latency_seconds']);
  });

  it('every alert leads to a section of the runbook', () => {
    const headings = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').matchAll(/^#+ (.*)$/gm);
    const anchors = new Set(
      [...headings].map(
        ([, heading = '']) => `docs/operations.md#${heading.toLowerCase().replaceAll(' ', '-')}`,
      ),
    );
    expect(rules.map((rule) => rule.annotations.runbook).filter((runbook) => !anchors.has(runbook))).toEqual(
      [],
    );
  });

  const promtool = findProgram('promtool');
  it.skipIf(promtool === undefined)('promtool accepts the rules, and they fire as they should', () => {
    const run = (...words: string[]) => execFileSync(promtool as string, words, { encoding: 'utf8' });
    expect(run('check', 'rules', join(FOLDER, 'alerts.yml'))).toContain('SUCCESS');
    expect(run('test', 'rules', join(import.meta.dirname, 'alerts.promtool.yml'))).toContain('SUCCESS');
  });
});
