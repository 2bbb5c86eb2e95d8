import { ownModule } from '../own-module.ts';
import type { Row } from '../row.ts';
import { failure, get, originFault, together } from '../steps.ts';

// Row 47: an origin that accepts connections and does not answer in time.

/** The limits that the target has to be started with. */
export const SLOW_ORIGIN_LIMITS = {
  TIMEOUT_HEADERS: '1s',
  TIMEOUT_STALL: '1s',
  TIMEOUT_TOTAL: '2100ms',
};

const HANGING = ownModule('hanging');
const FROZEN = ownModule('frozen');

export const SLOW_ORIGINS: readonly Row[] = [
  {
    row: 47,
    title: 'every kind of file is 504 within the limit, and the origin is asked once',
    modules: [HANGING],
    steps: [
      originFault('hang'),
      together(
        [
          '@latest',
          '@v/main.info',
          '@v/v1.0.0.info',
          '@v/v1.0.0.mod',
          '@v/v1.0.0.zip',
          '@v/list',
        ].map((end) =>
          get(`/${HANGING.path}/${end}`, {
            ...failure(504, 1),
            text: 'no answer within 1 s',
          }),
        ),
      ),
    ],
  },
  {
    row: 47,
    title: 'a body that stops in the middle is 504',
    modules: [FROZEN],
    // The rest is requested once, as long as there is time.
    steps: [
      originFault({ 'freeze-after': 100 }),
      get(`/${FROZEN.path}/@v/v1.0.0.zip`, failure(504, 2)),
    ],
  },
];
