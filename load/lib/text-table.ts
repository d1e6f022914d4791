export type Cell = string | number;

/** Columns under their headings, numbers to the right. */
export function textTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) => row.map(shown));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const numeric = headings.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        numeric[column] ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
      )
      .join('  ')
      .trimEnd();
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

/** Three digits are more than the spread allows. */
function shown(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (!Number.isFinite(cell)) return '-';
  const size = Math.abs(cell);
  if (size >= 100 || Number.isInteger(cell)) return cell.toFixed(0);
  if (size >= 10) return cell.toFixed(1);
  return size >= 0.1 ? cell.toFixed(2) : cell.toPrecision(2);
}
