"""Orders that another program knows of, with their actual times; what people did with them here stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lineshaft.apps.oee.order_store import Moment
from lineshaft.apps.oee.orders import Order
from lineshaft.apps.oee.parts import Oee

_DAY_US: Final = 86_400_000_000


def take_orders(oee: Oee, by: str, orders: Sequence[Order]) -> None:
    """Add those that are new, and say when they began and ended where nobody has said so. Twice is once.

    Sums of the last day are made anew; what is older must come before the rows of its time.
    """
    places = {place for one in oee.setup.machines.values() for place in (one.path, one.line)}
    mine = [one for one in orders if one.path in places]
    now, store = oee.clock.now_us(), oee.store.orders
    known = store.some([one.id for one in mine])
    store.put([replace(one, began=None, ended=None) for one in mine if one.id not in known], (), by, now)
    moments: list[Moment] = []
    for one in mine:
        before = known.get(one.id, replace(one, began=None, ended=None))
        began = one.began if before.began is None else before.began
        ended = one.ended if before.ended is None else before.ended
        if (began, ended) != (before.began, before.ended):
            moments.append(Moment(before, began, ended, "order-started" if ended is None else "order-finished"))
    store.moments(moments, by, now)
    touched: dict[str, int] = {}
    for moment in moments:
        since = moment.began if moment.order.began is None else moment.ended
        if since is not None and since > now - _DAY_US:
            touched[moment.order.path] = min(since, touched.get(moment.order.path, since))
    for path, since in touched.items():
        oee.recorder.orders_changed(path, since)
    if mine:
        oee.recorder.tell(list(dict.fromkeys(one.path for one in mine)))
        oee.wake()
