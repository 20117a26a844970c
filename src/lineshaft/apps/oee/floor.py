"""The API of the shop floor's own pages: proposals of reasons."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from lineshaft.apps.oee.asked import machine_of
from lineshaft.apps.oee.parts import Parts

router = APIRouter(prefix="/oee", tags=["oee"])


@router.get("/proposals")
def proposals(
    oee: Parts, path: str, start: Annotated[int, Query(description="beginning of the stop, UTC microseconds")]
) -> dict[str, Any]:
    """What a stop may be: from the alarm at its beginning and what people said about stops like it, with the counts."""
    return oee.proposals.of_stop(machine_of(oee, path), start)
