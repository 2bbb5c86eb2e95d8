import type { ProbeLog } from '../origins/probe/probe-log.ts';
import type { HealthSharing } from '../origins/health/share.ts';
import { probe, type ProbeEffects } from '../origins/probe/probe.ts';

/**
 * What runs by the clock: a probe, whose outcome goes into the history and to all isolates. What
 * they know is read first: a probe is a trial of an origin that is out, and goes on from there.
 */
export async function runCron(
  effects: ProbeEffects & { readonly sharing: HealthSharing; readonly probes: ProbeLog },
): Promise<void> {
  const { probes, sharing } = effects;
  await sharing.learn();
  await probes.add(await probe(effects));
  await sharing.publish();
}
