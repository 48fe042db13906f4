"""How the loop becomes machine code: the options of Numba, and the rules that SimPy calls, as compiled code sees them."""

from numba import config, njit
from numba.core.caching import UserProvidedCacheLocator
from numba.extending import register_jitable

from sim import governors, luck, parameters, people, shocks


class Locator(UserProvidedCacheLocator):
    """Machine code lies in the folder that `compiled.folder` names, wherever the sources lie."""

    def get_cache_path(self) -> str:
        """The folder."""
        return str(config.CACHE_DIR)


# The rules as compiled code sees them: the very functions that SimPy calls. The smallest ones cost less than a call.
for _rule in (
    people.whole,
    people.whole_share,
    people.come_forward,
    governors.added,
    governors.balance,
    luck.turned,
    luck.words,
    luck.uniform,
    luck.least,
    luck.reach,
    luck.block,
):
    register_jitable(forceinline=True)(_rule)
for _rule in (
    people.logistic,
    people.logit,
    people.volunteering_share,
    people.mean_pull,
    people.staying_share,
    people.reach_today,
    people.available,
    people.screening_capacity,
    people.short_at_home,
    people.role_weights,
    people.split,
    governors.standing_terms,
    governors.moving_terms,
    governors.chance_of_permitting,
    governors.rate_of_answering,
    governors.chance_of_answering,
    governors.rate_of_withdrawing,
    governors.chance_of_withdrawing,
    governors.host_refusal,
    governors.deciding_role,
    governors.most_offered,
    governors.offered,
    governors.chance_of_ordering,
    governors.tipping_support,
    governors.is_permitted,
    shocks.chance_within_a_day,
    shocks.days_to_order,
    shocks.days_to_stay,
    shocks.day_of_stay,
    shocks.lognormal,
    parameters.component,
    parameters.triangular,
    parameters.triangular_on_log_scale,
    luck.normals,
):
    register_jitable(_rule)

# Nothing is allocated inside: without reference counting, arrays travel as plain pointers (20 times faster here).
rule = njit(nogil=True, error_model="numpy", _nrt=False)
# What `sim.compiled` calls: the machine code of these is kept, with all that they call in it.
entry = njit(nogil=True, cache=True, error_model="numpy", _nrt=False)
# Small, or called for every role on every day: handing over a workspace costs more than the work.
inlined = njit(forceinline=True, nogil=True, error_model="numpy", _nrt=False)
# Called for every state on every day: put in place by Numba, because handing over a workspace costs more than the work.
part = njit(inline="always", nogil=True, error_model="numpy", _nrt=False)
