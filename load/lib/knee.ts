/**
 * The point where a curve that has been flat begins to climb: the one farthest below the straight line from its
 * first to its last point, both axes scaled to 1 (Satopää and others, "Finding a Kneedle in a Haystack", 2011). The y
 * axis is logarithmic, as latencies are read.
 *
 * @param points in order of x, two or more, y above 0
 */
export function knee(points: readonly (readonly [x: number, y: number])[]): readonly [x: number, y: number] {
  const [firstX, firstY] = points[0] as readonly [number, number];
  const [lastX, lastY] = points.at(-1) as readonly [number, number];
  let best = points[0] as readonly [number, number];
  let farthest = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    const across = (point[0] - firstX) / (lastX - firstX);
    const up = Math.log(point[1] / firstY) / Math.log(lastY / firstY);
    if (across - up > farthest) {
      farthest = across - up;
      best = point;
    }
  }
  return best;
}
