// Which targets a filter leaves, and their groups.
import type { Target } from '../../api/targets';
import { matchesFilter } from '../../formatting/matchText';

export function chooseTargets(targets: readonly Target[], filter: string, health: string): Target[] {
  return targets.filter((target) => {
    const healthy = health === 'all' || target.health === health;
    return healthy && matchesFilter(filter, target.labels, `${target.scrapeUrl}\n${target.scrapePool}\n${target.lastError}`);
  });
}

export function countHealth(targets: readonly Target[]): { all: number; up: number; down: number } {
  const up = targets.filter((target) => target.health === 'up').length;
  const down = targets.filter((target) => target.health === 'down').length;
  return { all: targets.length, up, down };
}

/** Pools by name; within a pool what is down comes first. */
export function groupByPool(targets: readonly Target[]): [string, Target[]][] {
  const pools = new Map<string, Target[]>();
  for (const target of targets) {
    const members = pools.get(target.scrapePool) ?? [];
    members.push(target);
    pools.set(target.scrapePool, members);
  }
  const rank = (target: Target): number => (target.health === 'down' ? 0 : target.health === 'unknown' ? 1 : 2);
  for (const members of pools.values()) {
    members.sort((a, b) => rank(a) - rank(b) || a.scrapeUrl.localeCompare(b.scrapeUrl));
  }
  return [...pools].sort(([a], [b]) => a.localeCompare(b));
}
