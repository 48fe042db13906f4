"""The two other channels to the same number of people: hiring officers, and deputizing state and local ones.

Both begin on day 0 and know nothing of the Guard.
"""

from collections import deque
from collections.abc import Generator
from typing import Any

import simpy

from sim.people import whole_share
from sim.shared import Shared

HIRED, DEPUTIZED = 0, 1


def hire(shared: Shared) -> Generator[simpy.Event, Any, None]:
    """Applicants are vetted, wait for an academy seat, train, and are available."""
    p = shared.setting.levers[0].p
    vetting, course = int(p.hiring_vetting_days), int(p.hiring_weeks) * 7
    free, queue = int(p.hiring_seats), 0
    vetted: deque[int] = deque([0] * vetting)
    learning: deque[int] = deque([0] * course)
    for day, moment in enumerate(shared.clock.moving):
        yield moment
        vetted.append(whole_share(day, 1, p.hiring_applicants * p.hiring_pass))
        queue += vetted.popleft()
        graduates = learning.popleft()
        free += graduates
        shared.officers[HIRED] += graduates
        seated = min(free, queue)
        free -= seated
        queue -= seated
        learning.append(seated)
        if graduates:
            shared.log("officers hired", None, "the academy ends", graduates)


def deputize(shared: Shared) -> Generator[simpy.Event, Any, None]:
    """Agencies join, their officers train, and are available."""
    p = shared.setting.levers[0].p
    learning: deque[int] = deque([0] * int(p.deputize_training_days))
    for day, moment in enumerate(shared.clock.moving):
        yield moment
        learning.append(whole_share(day, 1, p.deputize_agencies * p.deputize_officers))
        shared.officers[DEPUTIZED] += learning.popleft()
