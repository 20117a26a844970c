"""The keys of a rule, at the edge and in the hub."""

from __future__ import annotations

from lineshaft.config.section import Section, key
from lineshaft.config.values import Duration, Id
from lineshaft.model.events import Severity


class RuleConfig(Section):
    """A condition over signals that holds long enough is an event."""

    id: Id = key(..., "Unique among the rules; the events are named after it.")
    inputs: dict[str, str] = key(..., "Name in the conditions -> path of the signal below the asset.", min_length=1)
    when: str = key(..., "Condition over `inputs`, like pressure > 8.")
    until: str = key("", "Condition that ends it, like pressure < 7.5; when empty: `when` holds no more.")
    delay: Duration = key(0.0, "`when` must hold so long.", unit="s", ge=0)
    until_delay: Duration = key(0.0, "`until` must hold so long.", unit="s", ge=0)
    severity: Severity = key(Severity.MEDIUM, "How much it matters.")
    message: str = key(..., "One sentence for people: what happened.")
    mend: str = key("", "What a person can do.")
